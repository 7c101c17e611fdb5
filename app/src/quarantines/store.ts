import { randomUUID } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";
import type { Cluster, Redis } from "ioredis";

import type { Period, QuarantineRecord } from "./record.ts";

/** Storage of quarantine records. Each operation fails after Redis' operation timeout. */
export interface QuarantineStore {
    /** Changes with every change of the records; null if there are none. */
    readonly version: () => Promise<string | null>;
    /** By build ID. */
    readonly readAll: () => Promise<ReadonlyMap<string, StoredRecord>>;
    /**
     * Replaces the record that was read by another one, or removes it.
     *
     * @returns false, without a change, if the record has changed meanwhile
     */
    readonly compareAndSwap: (
        buildId: string,
        before: StoredRecord | undefined,
        after: QuarantineRecord | undefined,
    ) => Promise<boolean>;
    /** Calls back whenever the store becomes reachable, including the first time. */
    readonly onReachable: (callback: () => void) => void;
}

/** A stored record; `record` is undefined if it is not valid. */
export interface StoredRecord {
    readonly text: string;
    readonly record: QuarantineRecord | undefined;
}

const KEY = `${CACHE_KEY_PREFIX}{quarantines}`;
/** A field of the same key: polling it protects the records from LRU eviction. */
const VERSION = "version";

/** Changes that other pods made meanwhile are never overwritten. */
const COMPARE_AND_SWAP = `
if (redis.call('hget', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('hdel', KEYS[1], ARGV[1])
else redis.call('hset', KEYS[1], ARGV[1], ARGV[3]) end
redis.call('hset', KEYS[1], '${VERSION}', ARGV[4])
return 1`;

export function createRedisQuarantineStore(client: Redis | Cluster): QuarantineStore {
    return {
        version: () => client.hget(KEY, VERSION),
        readAll: async () => {
            const records = new Map(Object.entries(await client.hgetall(KEY)));
            records.delete(VERSION);
            return new Map(
                Array.from(records, ([buildId, text]) => [
                    buildId,
                    { text, record: parseRecord(buildId, text) },
                ]),
            );
        },
        compareAndSwap: async (buildId, before, after) => {
            const text = after ? JSON.stringify(after) : "";
            // Random instead of a counter: a Redis restored from a snapshot must not reach the same version
            // again.
            const args = [buildId, before?.text ?? "", text, randomUUID()];
            return (await client.eval(COMPARE_AND_SWAP, 1, KEY, ...args)) === 1;
        },
        onReachable: (callback) => void client.on("ready", callback),
    };
}

/** Store of a pod without Redis, which reads no entries of other builds. */
export const noQuarantineStore: QuarantineStore = {
    version: () => Promise.resolve(null),
    readAll: () => Promise.resolve(new Map()),
    compareAndSwap: () => Promise.resolve(true),
    onReachable: () => undefined,
};

/** Fields may be added, but must not change, because older builds read the records, too. */
function parseRecord(buildId: string, text: string): QuarantineRecord | undefined {
    try {
        const record = JSON.parse(text) as Partial<QuarantineRecord>;
        const times = [record.changedAt, record.since, record.expiresAt];
        const isValid =
            record.buildId === buildId &&
            (record.state === "quarantined" || record.state === "promoted") &&
            typeof record.release === "string" &&
            times.every((time) => typeof time === "number") &&
            Array.isArray(record.rejected) &&
            record.rejected.every(isPeriod);
        return isValid ? (record as QuarantineRecord) : undefined;
    } catch {
        return undefined;
    }
}

function isPeriod(value: Partial<Period>): boolean {
    return typeof value.from === "number" && typeof value.to === "number";
}
