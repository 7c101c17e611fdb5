/** What an image reference names (https://github.com/distribution/reference). */
export interface Image {
    /** Whole, with the parts that Docker adds, such as `docker.io/library/redis`. */
    readonly name: string;
    readonly tag: string | undefined;
    readonly digest: string | undefined;
    /** As it stands, without tag and digest. */
    readonly written: string;
}

/** A host, which has a port or a dot, or is `localhost`; a path; a tag; a digest. */
const REFERENCE = new RegExp(
    [
        String.raw`^(?<written>(?:(?<host>localhost(?::\d+)?|[\w-]+(?:\.[\w-]+)+(?::\d+)?|[\w-]+:\d+|\[[\da-fA-F:]+\](?::\d+)?)/)?`,
        String.raw`(?<path>[a-z\d]+(?:[._/-]+[a-z\d]+)*))`,
        String.raw`(?::(?<tag>\w[\w.-]{0,127}))?`,
        String.raw`(?:@(?<digest>[A-Za-z\d]+(?:[+._-][A-Za-z\d]+)*:[\da-fA-F]{32,}))?$`,
    ].join(""),
);

/** @returns undefined for what is no reference */
export function imageOf(reference: string): Image | undefined {
    const { written, host, path, tag, digest } = REFERENCE.exec(reference)?.groups ?? {};
    if (written === undefined || path === undefined) return undefined;
    const isHub = host === undefined || host === "docker.io" || host === "index.docker.io";
    const full = isHub && !path.includes("/") ? `library/${path}` : path;
    return { name: `${isHub ? "docker.io" : host}/${full}`, tag, digest, written };
}

/** How many parts the version has that a tag is: of `8`, `v3` and `8-alpine3.20` one, of `8.2` two. */
export function versionParts(tag: string): number {
    // Longer numbers are dates and builds.
    const [, version] = /^v?(\d{1,3}(?:\.\d+)*)(?:-[a-z]+[\d.]*)?$/.exec(tag) ?? [];
    return version?.split(".").length ?? Infinity;
}
