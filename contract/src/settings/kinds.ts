import { isIP } from "node:net";
import type { Bounds } from "../runtimeSettings.ts";
import type { Kind } from "./setting.ts";

/** Text of any form that `fits` accepts. */
export function text(fits: (text: string) => boolean, words: string): Kind<string> {
    return { type: "string", fits, words, parse: (value) => value };
}

export function pattern(expression: RegExp, words: string): Kind<string> {
    return text((value) => expression.test(value), words);
}

/** @param unit what is counted, such as `seconds`. */
export function integer(least: number, most: number, unit?: string): Kind<number> {
    const of = unit === undefined ? "" : ` of ${unit}`;
    return {
        type: "integer",
        fits: (value) =>
            /^(0|-?[1-9]\d{0,14})$/.test(value) && Number(value) >= least && Number(value) <= most,
        words: `a whole number${of} from ${least} to ${most}`,
        parse: Number,
    };
}

export function integerWithin({ least, most }: Bounds, unit: string): Kind<number> {
    return integer(least, most, unit);
}

export const PORT = integer(1, 65_535);

export const BOOLEAN: Kind<boolean> = {
    type: "boolean",
    fits: (value) => value === "true" || value === "false",
    words: "true or false",
    parse: (value) => value === "true",
};

export function oneOf<T extends string>(...names: readonly T[]): Kind<T> {
    return {
        ...text((value) => names.some((name) => name === value), names.join(", ")),
        parse: (value) => value as T,
    };
}

/** The parts of a list, which has commas between them. */
export function partsOfList(list: string): readonly string[] {
    return list === "" ? [] : list.split(",").map((part) => part.trim());
}

/** Several values with commas, and blanks where wanted, between them. */
function listOf(fits: (parts: readonly string[]) => boolean, words: string): Kind<string> {
    return {
        ...text((value) => fits(partsOfList(value)), words),
        parse: (value) => partsOfList(value).join(","),
    };
}

/** Names, each at most once. */
export function someOf(...names: readonly string[]): Kind<string> {
    return listOf(
        (parts) =>
            parts.every((part) => names.includes(part)) && new Set(parts).size === parts.length,
        `some of ${names.join(", ")}, comma-separated`,
    );
}

/** Free text, such as a path. */
export const TEXT = text(() => true, "text");
/** Names that only other programs give a meaning to: printable, since they become headers and variables. */
export const NAME = pattern(
    /^[\x21-\x7e]{1,256}$/,
    "a name without blanks, at most 256 characters",
);
/** A key that is sent in a header. */
export const API_KEY = pattern(
    /^[\x21-\x7e]{1,4096}$/,
    "a key of printable characters without blanks",
);

const areApiKeys = (keys: readonly string[]) =>
    keys.every((key) => key === "" || API_KEY.fits(key));
const API_KEYS_WORDS = "comma-separated; empty for one that needs none";
/** API keys of several hosts. */
export const API_KEYS = listOf(areApiKeys, `keys of printable characters, ${API_KEYS_WORDS}`);

/** One key for each URL of another setting, since the key of one host must not be sent to another. */
export function apiKeysFor(urls: string, count: number): Kind<string> {
    return listOf(
        (keys) => keys.length === count && areApiKeys(keys),
        `as many keys as ${urls} has URLs (${count}), ${API_KEYS_WORDS}`,
    );
}

/**
 * A secret for headers, files of Redis and variables, none of which give these characters a meaning.
 *
 * @param least fewest characters.
 */
export function token(least: number, what = "a secret"): Kind<string> {
    return text(
        (value) =>
            value.length >= least && /^[\x21\x23\x25\x26\x28-\x5b\x5d-\x7e]{1,4096}$/.test(value),
        `${what} of at least ${least} printable characters without blanks, quotes, backslashes and $`,
    );
}

/** A number of dollars that programs can add up. It stays text, so that no digit is lost. */
export const DOLLARS = pattern(
    /^\d{1,7}(\.\d{1,12})?$/,
    "dollars in decimal notation such as 0.001, below 10000000",
);
export const RATIO = pattern(/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/, "a number from 0 to 1");

/** A share that is neither nothing nor everything. */
export function share(least: number, most: number): Kind<string> {
    return text(
        (value) => /^0\.\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most,
        `a number from ${least} to ${most}, such as ${least}`,
    );
}

/** A price from a date on. */
export interface DatedPrice {
    /** Milliseconds since 1970. */
    readonly from: number;
    readonly dollarsPerMillionTokens: number;
}

export const DATED_PRICES = listOf(
    (parts) =>
        parts.every(isDatedPrice) &&
        datedPrices(parts.join(",")).every(
            ({ from }, at, all) => at === 0 || from > (all[at - 1]?.from ?? NaN),
        ),
    "dates and dollars per million tokens, oldest first, such as 2024-01-25=0.02,2027-01-01=0.015",
);

export function datedPrices(list: string): readonly DatedPrice[] {
    return partsOfList(list).map((part) => {
        const [date = "", dollars] = part.split("=");
        return { from: Date.parse(date), dollarsPerMillionTokens: Number(dollars) };
    });
}

function isDatedPrice(part: string): boolean {
    const [date = "", dollars = "", ...rest] = part.split("=");
    const time = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(date) : NaN;
    // Date.parse takes 31 February for 3 March.
    const isDay = !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
    return isDay && rest.length === 0 && DOLLARS.fits(dollars);
}

/** Every origin. */
const ANY = "*";

/** Origins as browsers send them (RFC 6454, 6.2). */
export const CORS_ORIGINS = listOf(
    (parts) => parts.every(isOrigin) || (parts.length === 1 && parts[0] === ANY),
    "* or comma-separated origins such as https://app.example.com",
);

function isOrigin(value: string): boolean {
    return /^https?:/.test(value) && URL.parse(value)?.origin === value;
}

/** A host of a URL that a pod can resolve or connect to. */
export function isHost(host: string): boolean {
    const bare = host.replace(/^\[(.*)\]$/, "$1");
    if (bare !== host) return isIP(bare) === 6 && !bare.includes("%");
    if (/(^|\.)[\d.]+$/.test(host)) return isIP(host) === 4;
    const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i;
    return host.length <= 253 && host.split(".").every((one) => label.test(one));
}

export function isPort(port: string): boolean {
    return /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535;
}

const URL_PARTS =
    /^(?<scheme>[a-z]+):\/\/(?<host>\[[^\]]*\]|[^:/?#@[\]\\]*)(:(?<port>[^/?#@]*))?(?<rest>[/?#].*)?$/;
const PRINTABLE = /^[\x21-\x7e]{1,2048}$/;

/** A URL as all of its readers understand it: Node, Go, and the network policies that let it through. */
export function partsOf(value: string) {
    const { scheme, host, port, rest = "" } = URL_PARTS.exec(value)?.groups ?? {};
    if (scheme === undefined || host === undefined || !PRINTABLE.test(value)) return undefined;
    if (!isHost(host) || (port !== undefined && !isPort(port))) return undefined;
    return { scheme, host, port, rest };
}

/** @param rest what may follow the host and its port. */
export function address(rest: RegExp, words: string): Kind<string> {
    const fits = (value: string) => {
        const parts = partsOf(value);
        const isHttp = parts?.scheme === "http" || parts?.scheme === "https";
        return isHttp && rest.test(parts.rest) && URL.canParse(value);
    };
    return { ...text(fits, words), isUrl: true };
}

/** A base URL, which other paths are joined to. */
export const ADDRESS = address(/^[^?#]*$/, "an http or https URL without credentials and query");
/** A forward proxy. */
export const PROXY = address(
    /^\/?$/,
    "the http or https URL of a proxy such as http://proxy:3128, without credentials and path",
);
/** A forward proxy that may want a login; a stack's config, which everybody may read, holds none. */
export const PROXY_WITH_LOGIN: Kind<string> = {
    ...PROXY,
    fits: (value) => PROXY.fits(value.replace(/(?<=:\/\/)[^/@]*@/, "")),
    words: "the URL of a proxy such as http://proxy:3128, without a path",
};

const API_REST = /^[^?#,]*(\?api-version=[\w.-]{1,64})?$/;
const API_WORDS = "an http or https URL without credentials and query, but ?api-version=";
/** The base URL of an API of models; Azure's has a version behind it, which stays behind joined paths. */
export const API_ADDRESS: Kind<string> = {
    ...address(API_REST, API_WORDS),
    fits: (value) =>
        address(API_REST, API_WORDS).fits(
            value.replace(/^[a-z]+:/i, (scheme) => scheme.toLowerCase()),
        ),
};
export const API_ADDRESSES: Kind<string> = {
    ...listOf((parts) => parts.every(API_ADDRESS.fits), `${API_WORDS}; several, comma-separated`),
    isUrl: true,
};
