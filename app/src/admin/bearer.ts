import { createHash, timingSafeEqual } from "node:crypto";

import { duplicateHeaderError } from "../http/headers.ts";
import { HttpError } from "../http/protocol/error.ts";

/**
 * Compares digests, so that the response time reveals neither content nor length of the token.
 *
 * @returns a check of the values of all Authorization headers: the error, or undefined if the only one has the token
 */
export function createBearerCheck(
    token: string,
): (values: readonly string[] | undefined) => HttpError | undefined {
    const expected = digest(token);
    return ([header = "", second] = []) => {
        if (second !== undefined) return duplicateHeaderError("authorization");
        const given = /^Bearer +(\S+)$/i.exec(header)?.[1];
        if (given !== undefined && timingSafeEqual(digest(given), expected)) return undefined;
        const message =
            given === undefined
                ? "Send the token of the stack's admin Secret as `authorization: Bearer TOKEN`"
                : "The token does not match the stack's admin Secret";
        return new HttpError(401, message, { code: "invalid_admin_token" });
    };
}

function digest(text: string): Buffer {
    return createHash("sha256").update(text).digest();
}
