import { setTimeout as wait } from "node:timers/promises";

import { detach } from "../detached.ts";
import type { Log } from "../log.ts";

/** Records that are kept in Redis and that every pod reads once a second. */
export interface Polled {
    /** Until the first read succeeds, the records are unknown, which is not the same as none. */
    readonly isKnown: () => boolean;
    /** Resolves when they are known, or when Redis has not answered for two seconds. */
    readonly start: () => Promise<void>;
    /** One read at a time: each compares with what the read before it found. */
    readonly poll: () => Promise<void>;
    readonly stop: () => void;
}

export interface PolledOptions {
    /** For the log. */
    readonly name: string;
    /** @throws Error while Redis is away: what was read last holds */
    readonly read: () => Promise<void>;
    /** Calls back each time that Redis can be reached, for the first time or again. */
    readonly onReachable: (callback: () => void) => void;
    readonly log: Log;
}

const POLL_MILLISECONDS = 1_000;
const START_MILLISECONDS = 2_000;
const START_POLL_MILLISECONDS = 20;

export function polled({ name, read, onReachable, log }: PolledOptions): Polled {
    let known = false;
    let failure = "";
    let last = Promise.resolve();
    let timer: NodeJS.Timeout | undefined;
    const poll = (): Promise<void> => (last = last.then(readOnce));

    async function readOnce(): Promise<void> {
        try {
            await read();
            known = true;
        } catch (error) {
            failure = String(error);
            log.debug({ error: failure }, `${name} could not be read: the last ones hold`);
        }
    }

    return {
        isKnown: () => known,
        poll,
        start: async () => {
            const begun = performance.now();
            await poll();
            while (!known && performance.now() - begun < START_MILLISECONDS) {
                await wait(START_POLL_MILLISECONDS);
                await poll();
            }
            if (!known) log.warn({ error: failure }, `${name} could not be read yet`);
            timer = setInterval(() => detach(poll()), POLL_MILLISECONDS).unref();
            // A Redis that comes back may have lost records, or have new ones.
            onReachable(() => detach(poll()));
        },
        stop: () => clearInterval(timer),
    };
}
