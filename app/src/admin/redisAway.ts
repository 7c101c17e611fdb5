import { HttpError } from "../http/error.ts";
import type { Log } from "../log.ts";

const RETRY_AFTER_SECONDS = 1;

/** What other pods must learn of goes by Redis: without it an order is refused, not half carried out. */
export function redisAway(error: unknown, log: Log): HttpError {
    if (error instanceof HttpError) return error;
    log.warn({ error: String(error) }, "Admin did not reach Redis");
    return new HttpError(503, "Redis does not answer; try again", {
        type: "server_error",
        code: "redis_away",
        retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
}
