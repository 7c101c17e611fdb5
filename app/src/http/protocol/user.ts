import { invalidFieldError } from "./error.ts";

/** OpenAI publishes no limit. */
const MAX_USER_LENGTH = 512;

/**
 * Parses the field `user` of a body.
 *
 * @returns undefined without a user, or with a blank one: its requests are not those of one person
 * @throws HttpError
 */
export function parseUser(user: unknown): string | undefined {
    if (user === undefined || user === null) return undefined;
    if (typeof user !== "string" || user.length > MAX_USER_LENGTH) {
        throw invalidFieldError(
            "user",
            `user must be a string of at most ${MAX_USER_LENGTH} characters`,
        );
    }
    return user.trim() === "" ? undefined : user;
}
