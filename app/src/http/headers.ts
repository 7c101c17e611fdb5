import { randomBytes } from "node:crypto";

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

/** The client's ID if it is valid, for correlation of the logs; otherwise a new ID. */
export function getRequestId(rawHeaders: readonly string[], name: string): string {
    const own = getHeader(rawHeaders, name);
    if (own !== undefined && isRequestId(own)) return own;
    requests += 1;
    return `${PROCESS}-${requests.toString(36)}`;
}
