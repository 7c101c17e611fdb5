import { cel } from "../cel/cel.ts";

/** A parsed image reference (https://github.com/distribution/reference). */
export interface Image {
    /** Full name with the parts that Docker adds, such as `docker.io/library/redis`. */
    readonly name: string;
    readonly tag: string | undefined;
    readonly digest: string | undefined;
    /** Name as written, without tag and digest. */
    readonly writtenName: string;
}

const HOST = String.raw`localhost(?::\d+)?|[\w-]+(?:\.[\w-]+)+(?::\d+)?|[\w-]+:\d+|\[[\da-fA-F:]+\](?::\d+)?`;

/** Tags that usually move to another image with each push. */
export const MUTABLE_TAGS: readonly string[] =
    "latest stable main master edge nightly dev develop head".split(" ");

/** A part of a path: separators are one dot, one or two underscores, or any number of dashes. */
const PART = String.raw`[a-z\d]+(?:(?:[._]|__|-+)[a-z\d]+)*`;

/** A host, which has a port or a dot, or is `localhost`; a path; a tag; a digest. */
const REFERENCE = new RegExp(
    [
        `^(?<writtenName>(?:(?<host>${HOST})/)?`,
        String.raw`(?<path>${PART}(?:/${PART})*))`,
        String.raw`(?::(?<tag>\w[\w.-]{0,127}))?`,
        String.raw`(?:@(?<digest>[A-Za-z\d]+(?:[+._-][A-Za-z\d]+)*:[\da-fA-F]{32,}))?$`,
    ].join(""),
);

/** @returns undefined for an invalid reference */
export function parseImage(reference: string): Image | undefined {
    const { writtenName, host, path, tag, digest } = REFERENCE.exec(reference)?.groups ?? {};
    if (writtenName === undefined || path === undefined) return undefined;
    const isHub = host === undefined || host === "docker.io" || host === "index.docker.io";
    const full = isHub && !path.includes("/") ? `library/${path}` : path;
    return { name: `${isHub ? "docker.io" : host}/${full}`, tag, digest, writtenName };
}

/** Public registries. */
const PUBLIC = ["docker.io", "registry.k8s.io", "quay.io", "ghcr.io"];

export function isPublic(name: string): boolean {
    return PUBLIC.includes(name.split("/")[0] ?? "");
}

/** @returns a glob for all images of a registry, and those `globs` that match no public registry. */
export function registryGlobs(globs: readonly string[], registry: string): string[] {
    return [`${registry}/*`, ...globs.filter((glob) => glob !== "*" && !isPublic(glob))];
}

/** Regular expression for version tags with fewer parts: `8`, `v3` and `8-alpine3.20` have one, `8.2` has two. */
export function versionsWithFewerParts(parts: number): RegExp {
    // Longer numbers are dates and builds.
    const more = String.raw`(?:\.\d+){0,${Math.max(parts - 2, 0)}}`;
    return new RegExp(
        parts < 2 ? String.raw`[^\s\S]` : String.raw`^v?\d{1,3}${more}(?:-[a-z]+[\d.]*)?$`,
    );
}

const image = cel`c.?image.orValue('')`;
const references = cel`[${image}].filter(i, i.matches(${REFERENCE}))`;
const withoutDigest = cel`${references}.filter(i, !i.contains('@'))`;

/** CEL for properties of the image of a container `c`, each a list of at most one element. */
export const IMAGES = {
    noReference: cel`[${image}].filter(i, i != '' && !i.matches(${REFERENCE}))`,
    untagged: cel`${withoutDigest}.filter(i, !i.matches(':[^/]+$'))`,
    /** Empty if there is a digest. */
    tag: cel`${withoutDigest}.map(i, i.find(':[^/:]+$')).filter(i, i != '').map(i, i.substring(1))`,
    /** Whole. */
    name: [
        cel`i.find('^([^@]*/)?[^:/@]*')`,
        cel`i.matches(${new RegExp(`^(?:${HOST})/`)}) ? i : 'docker.io/' + i`,
        cel`i.startsWith('index.docker.io/') ? i.replace('index.', '', 1) : i`,
        cel`i.matches('^docker[.]io/[^/]+$') ? i.replace('/', '/library/') : i`,
    ].reduce((names, step) => cel`${names}.map(i, ${step})`, references),
};
