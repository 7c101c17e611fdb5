import { HttpError } from "../http/protocol/error.ts";
import type { Log } from "../log.ts";

const RETRY_AFTER_SECONDS = 1;

/**
 * Changes that other pods must see are rejected while Redis is unavailable, instead of being half applied.
 */
export function redisUnavailable(error: unknown, log: Log): HttpError {
    if (error instanceof HttpError) return error;
    log.warn({ error: String(error) }, "Redis is unavailable for an admin request");
    return new HttpError(503, "Redis is unavailable; retry", {
        type: "server_error",
        code: "redis_unavailable",
        retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
}
