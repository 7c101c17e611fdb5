import { parseBytes, parseCpu } from "@property-search/contract";
import {
    address,
    isHost,
    isPort,
    pattern,
    quote,
    text,
    type Allowed,
    type Kind,
} from "@property-search/contract/settings";
import { parseImage, MUTABLE_TAGS, versionsWithFewerParts } from "@property-search/policies/images";
import { isIP } from "node:net";

/** More than any node has: a number without its `m`. */
const MOST_CPUS = 256;

export const CPUS = cpus(MOST_CPUS, `at most ${MOST_CPUS}`);

export function cpus(most: number, words: string): Kind<string> {
    return text(
        (value) => (parseCpu(value) ?? 0) > 0 && (parseCpu(value) ?? 0) <= most,
        `CPUs such as 1, 0.5 or 500m, ${words}`,
    );
}

/** @param most quantity that is above anything a node or a volume has. */
export function bytes(most: string, least?: string): Kind<string> {
    return text(
        (value) => {
            const count = parseBytes(value) ?? 0;
            return (
                count > 0 &&
                count >= (parseBytes(least ?? "") ?? 0) &&
                count <= (parseBytes(most) ?? 0)
            );
        },
        `bytes such as 512Mi or 4Gi, ${least === undefined ? "" : `no less than ${least}, `}at most ${most}`,
    );
}

/** A number in decimal notation. */
export function decimal(least: number, most: number): Kind<number> {
    const fits = (value: string) =>
        /^(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(value) &&
        Number(value) >= least &&
        Number(value) <= most;
    return { ...text(fits, `a number from ${least} to ${most}`), parse: Number };
}

export const MEMORY = bytes("16Ti");
/** The largest volume that a cloud gives. */
export const MOST_STORAGE = "64Ti";
export const STORAGE = bytes(MOST_STORAGE);

/** Names of objects of most kinds (RFC 1123 subdomain). */
export const OBJECT_NAME = pattern(
    /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "the name of an object: lower-case letters, digits, dashes and dots",
);
/** Names of namespaces and Services (RFC 1123 label). */
export const DNS_LABEL = pattern(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "a name of lower-case letters, digits and dashes",
);
export const HOST_NAME = pattern(
    /^(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "a host name such as embeddings.example.com",
);
/** Values of labels (IsValidLabelValue of k8s.io/apimachinery); of environments, of headers and of metrics too. */
export const LABEL_VALUE = pattern(
    /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/,
    "a label value such as v1.2.3 or production-eu, at most 63 characters",
);
/** Keys of labels and taints (IsQualifiedName of k8s.io/apimachinery): a name, and a domain before it. */
export const LABEL_KEY = text((value) => {
    const [name = "", domain, ...rest] = value.split("/").reverse();
    const isName = name !== "" && LABEL_VALUE.fits(name);
    return isName && rest.length === 0 && (domain === undefined || OBJECT_NAME.fits(domain));
}, "a label key such as team or example.com/team");
export const USER = pattern(
    /^[\x21-\x39\x3b-\x7e]{1,256}$/,
    "a user name without blanks and colons",
);
export const MAIL = pattern(
    /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i,
    "a mail address",
);
export const CHANNEL = pattern(
    /^[#@]?[\p{L}\p{N}._-]{1,80}$/u,
    "a channel such as #alerts, at most 80 characters",
);

export const CIDR = text(isCidr, "address ranges such as 10.0.0.0/16");

function isCidr(value: string): boolean {
    const [address = "", length = "", ...rest] = value.split("/");
    const bits = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
    const isWritten = /^(0|[1-9]\d{0,2})$/.test(length) && !address.includes("%");
    return rest.length === 0 && isWritten && Number(length) <= bits;
}

/** The URL of one request, which may have a query. */
export const ENDPOINT = address(/^[^#]*$/, "an http or https URL without credentials");
export const FOLDER_ADDRESS = address(
    /^([^?#]*[^?#/])?$/,
    "an http or https URL without credentials, query and a slash at its end",
);

export const HOST_PORT = text((value) => {
    const [host = "", port = "", ...rest] = value.split(":");
    return rest.length === 0 && isHost(host) && host === host.toLowerCase() && isPort(port);
}, "host:port such as traefik-metrics.traefik-system.svc.cluster.local:9100");

/** Characters of an image's name without tag and digest, which the kubelet takes. */
const LONGEST_NAME = 255;

/** Tags that are versions of fewer parts than make a tag one image's for good. */
const INEXACT = versionsWithFewerParts(3);

/**
 * An image that stays what it is: a digest, or a tag that does not move.
 *
 * @param least version from which on it will do. A digest, and a tag that is no version, may be of any.
 * Default: any version.
 */
export function image(least?: readonly [name: string, ...version: number[]]): Kind<string> {
    const [name = "", ...version] = least ?? [];
    const newer = least ? `, of ${name} ${version.join(".")} or newer` : "";
    return text((value) => {
        const parts = value.length <= 512 ? parseImage(value) : undefined;
        if (parts === undefined || parts.name.length > LONGEST_NAME) return false;
        const { tag, digest } = parts;
        if (tag !== undefined && isBelow(tag, version)) return false;
        if (digest !== undefined) return /^sha256:[0-9a-f]{64}$/.test(digest);
        return tag !== undefined && !isMoving(tag);
    }, `an image with a digest or an exact tag (not latest)${newer}`);
}

export const IMAGE = image();

function isMoving(tag: string): boolean {
    return MUTABLE_TAGS.includes(tag.toLowerCase()) || INEXACT.test(tag);
}

function isBelow(tag: string, least: readonly number[]): boolean {
    const [, version] = /^v?(\d{1,4}(?:\.\d{1,6})+)(?![\w.])/.exec(tag) ?? [];
    const parts = version?.split(".").map(Number) ?? [];
    const at = least.findIndex((part, index) => part !== (parts[index] ?? 0));
    return version !== undefined && at >= 0 && (parts[at] ?? 0) < (least[at] ?? 0);
}

/** A password or token of another system, for a header. */
export const LOGIN = pattern(
    /^[\x21-\x7e]{1,4096}$/,
    "a password or token of printable characters without blanks",
);

/** A list, of which each wrong item is an error. */
export function listOf(item: Allowed): Kind<readonly string[]> {
    const words = `a list of ${item.words}`;
    const kind = json<readonly string[]>("array", words, (value) => {
        const wrong = Array.isArray(value)
            ? value.filter((one) => typeof one !== "string" || !item.fits(one))
            : [value];
        return wrong.map((one) => `is ${quote(one)}; allowed: ${words}`);
    });
    return { ...kind, items: "string" };
}

const LABELS_WORDS =
    "an object of label keys and values, each value text, such as { team: search }";

/** Labels by key. */
export const LABELS = json<Readonly<Record<string, string>>>("object", LABELS_WORDS, (value) => {
    if (!isObject(value)) return [`is ${quote(value)}; allowed: ${LABELS_WORDS}`];
    return Object.entries(value)
        .filter(
            ([key, one]) =>
                !(LABEL_KEY.fits(key) && typeof one === "string" && LABEL_VALUE.fits(one)),
        )
        .map(([key, one]) => `has ${key}: ${quote(one)}; allowed: ${LABELS_WORDS}`);
});

/**
 * A value of several parts.
 *
 * @param words what is allowed; none: the description says it.
 * @param errorsOf errors of the parsed value, or of the text if it is no JSON. Default: none.
 */
export function json<T = unknown>(
    type: Kind<T>["type"],
    words = "",
    errorsOf: (value: unknown) => readonly string[] = () => [],
): Kind<T> {
    const errors = (value: string) => errorsOf(parsed(value));
    const fits = (value: string) => errors(value).length === 0;
    return { type, fits, words, errors, parse: (value) => parsed(value) as T };
}

function parsed(value: string): unknown {
    try {
        return JSON.parse(value) as unknown;
    } catch {
        return value;
    }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
