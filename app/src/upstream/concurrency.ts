/** How many calls may be under way at once, found out by trying. */
export interface Concurrency {
    readonly limit: () => number;
    /** A call was answered while so many were under way. */
    readonly succeeded: (inFlight: number) => void;
    /** The upstream said, or showed by its silence, that it is too much. */
    readonly pressed: () => void;
}

const FIRST = 8;
const LEAST = 1;
const MOST = 64;
const BACKOFF = 0.7;
/** Calls that were under way together fail together: that is one sign, not many. */
const SETTLE_MILLISECONDS = 1_000;

/**
 * Additive increase, multiplicative decrease (Chiu and Jain, 1989): one more after each window of
 * answers in which the limit was used, seven tenths after a sign of overload.
 */
export function adaptiveConcurrency(now = () => performance.now()): Concurrency {
    let limit = FIRST;
    let pressedAt = -Infinity;
    return {
        limit: () => Math.floor(limit),
        succeeded: (inFlight) => {
            if (inFlight >= Math.floor(limit)) limit = Math.min(MOST, limit + 1 / limit);
        },
        pressed: () => {
            if (now() - pressedAt < SETTLE_MILLISECONDS) return;
            pressedAt = now();
            limit = Math.max(LEAST, limit * BACKOFF);
        },
    };
}
