import { randomUUID } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";
import type { Cluster, Redis } from "ioredis";

import type { Span, Trial } from "./trial.ts";

/** Where trials are kept; each operation fails within Redis's time limit. */
export interface TrialStore {
    /** Changes with every change of what is kept; null where nothing is. */
    readonly version: () => Promise<string | null>;
    /** By their builds. */
    readonly all: () => Promise<ReadonlyMap<string, Stored>>;
    /**
     * Keeps a record, or none, in the place of what was read.
     *
     * @returns false when something else stands there by now: then nothing has changed
     */
    readonly swap: (
        writer: string,
        before: Stored | undefined,
        after: Trial | undefined,
    ) => Promise<boolean>;
    /** Tells each time that the store can be reached, for the first time or again. */
    readonly onReachable: (told: () => void) => void;
}

/** A record as it stands there; undefined: it is none. */
export interface Stored {
    readonly text: string;
    readonly trial: Trial | undefined;
}

const KEY = `${CACHE_KEY_PREFIX}{trials}`;
/** A field of the same key, so that whoever polls it keeps the records from being evicted as seldom used. */
const VERSION = "version";

/** Nothing of what was ordered or learned meanwhile is written over. */
const SWAP = `
if (redis.call('hget', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('hdel', KEYS[1], ARGV[1])
else redis.call('hset', KEYS[1], ARGV[1], ARGV[3]) end
redis.call('hset', KEYS[1], '${VERSION}', ARGV[4])
return 1`;

export function redisTrials(client: Redis | Cluster): TrialStore {
    return {
        version: () => client.hget(KEY, VERSION),
        all: async () => {
            const records = new Map(Object.entries(await client.hgetall(KEY)));
            records.delete(VERSION);
            return new Map(
                Array.from(records, ([writer, text]) => [
                    writer,
                    { text, trial: readRecord(writer, text) },
                ]),
            );
        },
        swap: async (writer, before, after) => {
            const text = after ? JSON.stringify(after) : "";
            // Random, not counted: a Redis that is back with an older snapshot must not count up to it again.
            const args = [writer, before?.text ?? "", text, randomUUID()];
            return (await client.eval(SWAP, 1, KEY, ...args)) === 1;
        },
        onReachable: (told) => void client.on("ready", told),
    };
}

/** Of a pod without Redis: it reads nobody's entries. */
export const noTrials: TrialStore = {
    version: () => Promise.resolve(null),
    all: () => Promise.resolve(new Map()),
    swap: () => Promise.resolve(true),
    onReachable: () => undefined,
};

/** Fields may be added, but not change: builds that do not know them read it, too. */
function readRecord(writer: string, text: string): Trial | undefined {
    try {
        const one = JSON.parse(text) as Partial<Trial>;
        const times = [one.at, one.since, one.until];
        const sound =
            one.writer === writer &&
            (one.state === "trial" || one.state === "promoted") &&
            typeof one.release === "string" &&
            times.every((time) => typeof time === "number") &&
            Array.isArray(one.failed) &&
            one.failed.every(isSpan);
        return sound ? (one as Trial) : undefined;
    } catch {
        return undefined;
    }
}

function isSpan(value: Partial<Span>): boolean {
    return typeof value.from === "number" && typeof value.to === "number";
}
