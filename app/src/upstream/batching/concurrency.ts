/** Adaptive limit of concurrent calls. */
export interface Concurrency {
    readonly limit: () => number;
    /** A call succeeded while this many were in flight. */
    readonly onSuccess: (inFlight: number) => void;
    /** The upstream reported overload, or timed out. */
    readonly onOverload: () => void;
}

const INITIAL_LIMIT = 8;
const MIN_LIMIT = 1;
const MAX_LIMIT = 64;
const BACKOFF = 0.7;
/** Concurrent calls fail together, which counts as one signal. */
const SETTLE_MILLISECONDS = 1_000;

/**
 * Additive increase, multiplicative decrease (Chiu and Jain, 1989): plus one after each window of successes
 * at the limit, times 0.7 after a sign of overload.
 */
export function createAdaptiveConcurrency(now = () => performance.now()): Concurrency {
    let limit = INITIAL_LIMIT;
    let decreasedAt = -Infinity;
    return {
        limit: () => Math.floor(limit),
        onSuccess: (inFlight) => {
            if (inFlight >= Math.floor(limit)) limit = Math.min(MAX_LIMIT, limit + 1 / limit);
        },
        onOverload: () => {
            if (now() - decreasedAt < SETTLE_MILLISECONDS) return;
            decreasedAt = now();
            limit = Math.max(MIN_LIMIT, limit * BACKOFF);
        },
    };
}
