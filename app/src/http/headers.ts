import { randomBytes } from "node:crypto";

import { HttpError } from "./protocol/error.ts";

/**
 * Finds a header in the raw list. Building an object of all headers would cost more than all lookups.
 *
 * @param name in lower case
 */
export function getHeader(rawHeaders: readonly string[], name: string): string | undefined {
    const at = findHeader(rawHeaders, name);
    return at < 0 ? undefined : rawHeaders[at + 1];
}

/**
 * Finds the place of a header's name, without an allocation.
 *
 * @param name in lower case
 * @param from the first place that is examined, an even number
 * @returns -1 if there is none
 */
export function findHeader(rawHeaders: readonly string[], name: string, from = 0): number {
    for (let at = from; at < rawHeaders.length; at += 2) {
        const one = rawHeaders[at];
        if (one?.length === name.length && (one === name || one.toLowerCase() === name)) return at;
    }
    return -1;
}

/**
 * Reads a header that has one value.
 *
 * @param name in lower case
 * @throws HttpError 400 if the header was sent twice: of two values, neither may win
 */
export function getSingleHeader(rawHeaders: readonly string[], name: string): string | undefined {
    const at = findHeader(rawHeaders, name);
    if (at < 0) return undefined;
    if (findHeader(rawHeaders, name, at + 2) < 0) return rawHeaders[at + 1];
    throw duplicateHeaderError(name);
}

export function duplicateHeaderError(name: string): HttpError {
    const message = `${name} was sent twice; allowed: once`;
    return new HttpError(400, message, { param: name, code: "duplicate_header" });
}

/**
 * Finds all lines of a header, which are one list (RFC 9110, section 5.3).
 *
 * @param name in lower case
 */
export function getJoinedHeader(rawHeaders: readonly string[], name: string): string | undefined {
    const values = rawHeaders.filter(
        (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name,
    );
    return values.length === 0 ? undefined : values.join(", ");
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;
const PROCESS = randomBytes(6).toString("base64url");
let requests = 0;

export function isRequestId(text: string): boolean {
    return REQUEST_ID.test(text);
}

/** The client's ID if it has one and that is valid, for correlation of the logs; otherwise a new ID. */
export function getRequestId(rawHeaders: readonly string[], name: string): string {
    const at = findHeader(rawHeaders, name);
    const own = at < 0 ? undefined : rawHeaders[at + 1];
    if (own !== undefined && isRequestId(own) && findHeader(rawHeaders, name, at + 2) < 0)
        return own;
    requests += 1;
    return `${PROCESS}-${requests.toString(36)}`;
}
