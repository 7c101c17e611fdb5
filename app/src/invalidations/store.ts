import { randomUUID } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";
import type { Cluster, Redis } from "ioredis";

import type { Invalidation } from "./record.ts";

/** Storage of invalidations. Each operation fails after Redis' operation timeout. */
export interface InvalidationStore {
    /** Changes with every change of the records; null if there are none. */
    readonly version: () => Promise<string | null>;
    readonly readAll: () => Promise<readonly Invalidation[]>;
    readonly put: (added: readonly Invalidation[], ended: readonly string[]) => Promise<void>;
    /** Calls back each time that the store can be reached, for the first time or again. */
    readonly onReachable: (callback: () => void) => void;
}

// The braces keep both keys on one node of a cluster, so that they change atomically.
const RECORDS = `${CACHE_KEY_PREFIX}{invalidations}`;
const VERSION = `${CACHE_KEY_PREFIX}{invalidations}:version`;

export function createRedisInvalidationStore(client: Redis | Cluster): InvalidationStore {
    return {
        version: () => client.get(VERSION),
        readAll: async () => Object.values(await client.hgetall(RECORDS)).flatMap(parseRecord),
        put: async (added, ended) => {
            const change = client.multi();
            if (ended.length > 0) change.hdel(RECORDS, ...ended);
            for (const one of added) change.hset(RECORDS, one.key, JSON.stringify(one));
            // Random instead of a counter: a Redis restored from a snapshot must not reach the same version
            // again.
            change.set(VERSION, randomUUID());
            const failed = (await change.exec())?.find(([error]) => error);
            if (failed?.[0]) throw failed[0];
        },
        onReachable: (callback) => void client.on("ready", callback),
    };
}

/** Store of a pod without Redis; nothing is shared. */
export function createInMemoryInvalidationStore(): InvalidationStore {
    return {
        version: () => Promise.resolve(null),
        readAll: () => Promise.resolve([]),
        put: () => Promise.resolve(),
        onReachable: () => undefined,
    };
}

/** Unknown records are ignored: a newer build may have written them. */
function parseRecord(text: string): readonly Invalidation[] {
    try {
        const one = JSON.parse(text) as Partial<Invalidation>;
        const { key, kind, invalidBefore, expiresAt } = one;
        const isValid = typeof key === "string" && (kind === "flagged" || kind === "deleted");
        return isValid && typeof invalidBefore === "number" && typeof expiresAt === "number"
            ? [one as Invalidation]
            : [];
    } catch {
        return [];
    }
}
