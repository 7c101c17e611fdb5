import { UserError } from "@property-search/contract";
import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

/** Session cookie of the page. It is valid for `/impact` alone. */
export const COOKIE = "impact-session";
const SESSION_SECONDS = 12 * 3600;
/** A shorter token could be guessed. */
const MIN_TOKEN_LENGTH = 16;
const FAILURE_SECONDS = 60;
/** Wrong tokens of one client in a minute. */
const MAX_FAILURES = 10;
/** Clients whose failures are counted; beyond, all others count as one. */
const MAX_CLIENTS = 10_000;

export interface Access {
    readonly isToken: (text: string) => boolean;
    /** Value of a new session's cookie. */
    readonly createSession: () => string;
    readonly isSession: (value: string) => boolean;
    /** Seconds until a client may try again; 0: now. */
    readonly waitSeconds: (client: string) => number;
    readonly recordFailure: (client: string) => void;
}

/**
 * Access by one token. Sessions are signed with a key that is derived from it: another token ends them, and no session is
 * kept in memory.
 *
 * @param now Unix seconds
 * @throws UserError if the token is too short
 */
export function createAccess(token: string, now = () => Date.now() / 1000): Access {
    if (token.length < MIN_TOKEN_LENGTH) {
        throw new UserError(
            `the access token has ${token.length} characters; allowed: ${MIN_TOKEN_LENGTH} or more`,
        );
    }
    const key = Buffer.from(hkdfSync("sha256", token, "", "impact session", 32));
    const sign = (text: string) => createHmac("sha256", key).update(text).digest("base64url");
    const failures = new Map<string, { count: number; readonly endsAt: number }>();

    function removeEnded(): void {
        for (const [client, { endsAt }] of failures) if (endsAt <= now()) failures.delete(client);
    }
    const keyOf = (client: string) =>
        failures.has(client) || failures.size < MAX_CLIENTS ? client : "others";

    return {
        isToken: (text) => isEqual(text, token),
        createSession: () => {
            const expires = Math.floor(now() + SESSION_SECONDS);
            const text = `${expires}.${randomBytes(12).toString("base64url")}`;
            return `${text}.${sign(text)}`;
        },
        isSession: (value) => {
            const [expires = "", nonce = "", signature = ""] = value.split(".");
            return isEqual(signature, sign(`${expires}.${nonce}`)) && Number(expires) > now();
        },
        waitSeconds: (client) => {
            const found = failures.get(keyOf(client));
            const isBlocked = found && found.endsAt > now() && found.count >= MAX_FAILURES;
            return isBlocked ? Math.ceil(found.endsAt - now()) : 0;
        },
        recordFailure: (client) => {
            removeEnded();
            const name = keyOf(client);
            const found = failures.get(name) ?? { count: 0, endsAt: now() + FAILURE_SECONDS };
            found.count += 1;
            failures.set(name, found);
        },
    };
}

/** @param isSecure whether the client's connection is encrypted */
export function formatCookie(value: string, isSecure: boolean): string {
    const age = value === "" ? 0 : SESSION_SECONDS;
    return `${COOKIE}=${value}; Path=/impact; Max-Age=${age}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
}

/** In constant time, whatever the lengths. */
function isEqual(a: string, b: string): boolean {
    const digest = (text: string) => createHash("sha256").update(text).digest();
    return timingSafeEqual(digest(a), digest(b));
}
