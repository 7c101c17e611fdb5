import { randomUUID } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";
import type { Cluster, Redis } from "ioredis";

import type { Withdrawal } from "./withdrawal.ts";

/** Where withdrawals are kept; each operation fails within Redis's time limit. */
export interface WithdrawalStore {
    /** Changes with every change of what is kept; null where nothing is. */
    readonly version: () => Promise<string | null>;
    readonly all: () => Promise<readonly Withdrawal[]>;
    readonly put: (added: readonly Withdrawal[], ended: readonly string[]) => Promise<void>;
    /** Calls back each time that the store can be reached, for the first time or again. */
    readonly onReachable: (callback: () => void) => void;
}

// The braces keep both on one node of a cluster, so that they change together.
const RECORDS = `${CACHE_KEY_PREFIX}{withdrawals}`;
const VERSION = `${CACHE_KEY_PREFIX}{withdrawals}:version`;

export function redisWithdrawals(client: Redis | Cluster): WithdrawalStore {
    return {
        version: () => client.get(VERSION),
        all: async () => Object.values(await client.hgetall(RECORDS)).flatMap(readRecord),
        put: async (added, ended) => {
            const change = client.multi();
            if (ended.length > 0) change.hdel(RECORDS, ...ended);
            for (const one of added) change.hset(RECORDS, one.key, JSON.stringify(one));
            // Random, not counted: a Redis that is back with an older snapshot must not count up to it again.
            change.set(VERSION, randomUUID());
            const failed = (await change.exec())?.find(([error]) => error);
            if (failed?.[0]) throw failed[0];
        },
        onReachable: (callback) => void client.on("ready", callback),
    };
}

/** Of a pod without Redis: it tells nobody else. */
export function ownWithdrawals(): WithdrawalStore {
    return {
        version: () => Promise.resolve(null),
        all: () => Promise.resolve([]),
        put: () => Promise.resolve(),
        onReachable: () => undefined,
    };
}

/** What is not a withdrawal is left alone: a newer build may have written it. */
function readRecord(text: string): readonly Withdrawal[] {
    try {
        const one = JSON.parse(text) as Partial<Withdrawal>;
        const { key, kind, upTo, until } = one;
        const sound = typeof key === "string" && (kind === "flagged" || kind === "deleted");
        return sound && typeof upTo === "number" && typeof until === "number"
            ? [one as Withdrawal]
            : [];
    } catch {
        return [];
    }
}
