import { randomBytes } from "node:crypto";

/**
 * Finds a header in the raw list. Building an object of all headers would cost more than all lookups.
 *
 * @param name in lower case
 */
export function getHeader(rawHeaders: readonly string[], name: string): string | undefined {
    for (let at = 0; at < rawHeaders.length; at += 2) {
        const one = rawHeaders[at];
        if (one?.length === name.length && one.toLowerCase() === name) return rawHeaders[at + 1];
    }
    return undefined;
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;
const PROCESS = randomBytes(6).toString("base64url");
let requests = 0;

/** The client's ID if it is valid, for correlation of the logs; otherwise a new ID. */
export function getRequestId(rawHeaders: readonly string[], name: string): string {
    const own = getHeader(rawHeaders, name);
    if (own !== undefined && REQUEST_ID.test(own)) return own;
    requests += 1;
    return `${PROCESS}-${requests.toString(36)}`;
}
