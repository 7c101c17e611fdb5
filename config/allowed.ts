import { parseBytes, parseCpu } from "@property-search/contract";
import {
    address,
    isHost,
    isPort,
    partsOf,
    pattern,
    type Allowed,
} from "@property-search/contract/settings";
import { parseImage, MUTABLE_TAGS, versionsWithFewerParts } from "@property-search/policies/images";
import { isIP } from "node:net";

/** More than any node has: a number without its `m`. */
const MOST_CPUS = 256;

export const CPUS: Allowed = {
    fits: (value) => {
        const cpus = parseCpu(value) ?? 0;
        return cpus > 0 && cpus <= MOST_CPUS;
    },
    words: `CPUs such as 1, 0.5 or 500m, at most ${MOST_CPUS}`,
};

/** @param most quantity that is above anything a node or a volume has. */
function bytes(most: string): Allowed {
    return {
        fits: (value) => {
            const count = parseBytes(value) ?? 0;
            return count > 0 && count <= (parseBytes(most) ?? 0);
        },
        words: `bytes such as 512Mi or 4Gi, at most ${most}`,
    };
}

export const MEMORY = bytes("16Ti");
/** The largest volume that a cloud gives. */
export const STORAGE = bytes("64Ti");

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
export const LABEL_KEY: Allowed = {
    fits: (value) => {
        const [name = "", domain, ...rest] = value.split("/").reverse();
        const isName = name !== "" && LABEL_VALUE.fits(name);
        return isName && rest.length === 0 && (domain === undefined || OBJECT_NAME.fits(domain));
    },
    words: "a label key such as team or example.com/team",
};
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

export const CIDR: Allowed = { fits: isCidr, words: "address ranges such as 10.0.0.0/16" };

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

const URL_OF_REDIS: Allowed = {
    isUrl: true,
    fits: (value) => {
        const { scheme = "", port, rest } = partsOf(value) ?? {};
        return /^rediss?$/.test(scheme) && port !== undefined && rest === "";
    },
    words: "redis://host:port or rediss://host:port, without credentials, or several of one kind with commas between",
};
export const URLS_OF_REDIS: Allowed = {
    ...URL_OF_REDIS,
    fits: (value) => {
        const urls = value.split(",");
        const kinds = new Set(urls.map((url) => url.split(":")[0]));
        const isRepeated = new Set(urls).size < urls.length;
        return urls.every(URL_OF_REDIS.fits) && kinds.size === 1 && !isRepeated;
    },
};

export const HOST_PORT: Allowed = {
    fits: (value) => {
        const [host = "", port = "", ...rest] = value.split(":");
        return rest.length === 0 && isHost(host) && host === host.toLowerCase() && isPort(port);
    },
    words: "host:port such as traefik-metrics.traefik-system.svc.cluster.local:9100",
};

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
export function image(least?: readonly [name: string, ...version: number[]]): Allowed {
    const [name = "", ...version] = least ?? [];
    const newer = least ? `, of ${name} ${version.join(".")} or newer` : "";
    return {
        fits: (value) => {
            const {
                name: whole,
                tag,
                digest,
            } = (value.length <= 512 ? parseImage(value) : undefined) ?? {};
            if (whole === undefined || whole.length > LONGEST_NAME) return false;
            if (tag !== undefined && isBelow(tag, version)) return false;
            if (digest !== undefined) return /^sha256:[0-9a-f]{64}$/.test(digest);
            return tag !== undefined && !isMoving(tag);
        },
        words: `an image with a digest or an exact tag (not latest)${newer}`,
    };
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

/** What somebody else gave to log in with, in a header. */
export const LOGIN = pattern(
    /^[\x21-\x7e]{1,4096}$/,
    "a password or token of printable characters without blanks",
);
