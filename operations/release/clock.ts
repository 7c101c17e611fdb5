import { setTimeout as delay } from "node:timers/promises";

/** The clock, which tests replace. */
export interface Clock {
    /** Milliseconds since the epoch. */
    readonly now: () => number;
    /** Milliseconds of a monotonic clock. */
    readonly elapsed: () => number;
    /** @throws the signal's reason if it is aborted meanwhile */
    readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    sleep: async (milliseconds, signal) => {
        await delay(milliseconds, undefined, signal && { signal }).catch(() => undefined);
        signal?.throwIfAborted();
    },
};
