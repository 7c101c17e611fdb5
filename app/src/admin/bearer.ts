import { createHash, timingSafeEqual } from "node:crypto";

import { HttpError } from "../http/error.ts";

/**
 * @returns the check of an Authorization header: the refusal, or undefined when it has the token.
 * Digests are compared, so that neither content nor length of the token shows in the time it takes.
 */
export function bearerCheck(token: string): (header: string | undefined) => HttpError | undefined {
    const expected = digest(token);
    return (header) => {
        const given = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
        if (given !== undefined && timingSafeEqual(digest(given), expected)) return undefined;
        const message =
            given === undefined
                ? "Send the token of the stack's admin Secret as `authorization: Bearer TOKEN`"
                : "This is not the token of the stack's admin Secret";
        return new HttpError(401, message, { code: "invalid_admin_token" });
    };
}

function digest(text: string): Buffer {
    return createHash("sha256").update(text).digest();
}
