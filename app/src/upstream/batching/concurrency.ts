/** Adaptive limit of concurrent calls. */
export interface Concurrency {
    readonly limit: () => number;
    /** A call succeeded while this many were in flight. */
    readonly succeeded: (inFlight: number) => void;
    /** The upstream reported overload, or timed out. */
    readonly pressed: () => void;
}

const FIRST = 8;
const LEAST = 1;
const MOST = 64;
const BACKOFF = 0.7;
/** Concurrent calls fail together, which counts as one signal. */
const SETTLE_MILLISECONDS = 1_000;

/**
 * Additive increase, multiplicative decrease (Chiu and Jain, 1989): plus one after each window of successes
 * at the limit, times 0.7 after a sign of overload.
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
