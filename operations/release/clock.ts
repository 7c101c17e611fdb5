import { setTimeout as delay } from "node:timers/promises";

/** Time, so that a test can have its own. */
export interface Clock {
    /** Milliseconds since the epoch. */
    readonly now: () => number;
    /** Milliseconds of a clock that is never set. */
    readonly elapsed: () => number;
    /** @throws the signal's reason when it is aborted meanwhile */
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
