import { setTimeout as wait } from "node:timers/promises";

import { detach } from "../detach.ts";
import type { Log } from "../log.ts";

/** Records in Redis that every pod reads once per second. */
export interface PolledRecords {
    /** False until the first successful read. Unknown records are not the same as no records. */
    readonly isKnown: () => boolean;
    /** Resolves when the records are known, or after two seconds without Redis. */
    readonly start: () => Promise<void>;
    /** Reads are sequential, because each compares its result with the previous read. */
    readonly poll: () => Promise<void>;
    readonly stop: () => void;
}

export interface PolledRecordsOptions {
    /** Name in log messages. */
    readonly name: string;
    /** @throws Error while Redis is unavailable; the last known records stay in force */
    readonly read: () => Promise<void>;
    /** Calls back whenever Redis becomes reachable, including the first time. */
    readonly onReachable: (callback: () => void) => void;
    readonly log: Log;
}

const POLL_MILLISECONDS = 1_000;
const START_MILLISECONDS = 2_000;
const START_POLL_MILLISECONDS = 20;

export function createPolledRecords({
    name,
    read,
    onReachable,
    log,
}: PolledRecordsOptions): PolledRecords {
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
            log.debug(
                { error: failure },
                `${name} could not be read: the last known ones stay in force`,
            );
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
            // A Redis that becomes reachable may have lost records, or have new ones.
            onReachable(() => detach(poll()));
        },
        stop: () => clearInterval(timer),
    };
}
