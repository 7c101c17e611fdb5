import { CACHE_KEY_PREFIX } from "@property-search/contract";
import { Cluster, type Redis } from "ioredis";

import { CREATED_AT_OFFSET, ENTRY_VERSION } from "../vector/entry.ts";
import { retryWithBackoff } from "../redis/retryWithBackoff.ts";
import type { RedisCommands } from "../redis/client.ts";

/** Entries of the shared cache in their stored form, for administration. Unlike SharedCache, it throws. */
export interface EntryStore {
    /** @returns the stored bytes in the order of the keys; null if absent */
    readonly read: (keys: readonly string[]) => Promise<readonly (Buffer | null)[]>;
    /** @returns whether the entry existed */
    readonly remove: (key: string) => Promise<boolean>;
    /**
     * Stores an entry unless Redis has one of the same age or newer.
     *
     * @returns `same` for an identical entry, for example after a write whose response was lost
     */
    readonly putIfNewer: (write: EntryWrite) => Promise<(typeof PUT_RESULTS)[number]>;
    /**
     * Yields the keys of all entries, a few at a time, from each primary in turn. Entries written or removed
     * meanwhile may be missing, and keys may repeat (https://redis.io/docs/latest/commands/scan/).
     */
    readonly keys: () => AsyncGenerator<readonly string[], void>;
    /** Approximate number of keys in Redis: an upper bound of what `keys` yields. */
    readonly count: () => Promise<number>;
}

export interface EntryWrite {
    readonly key: string;
    readonly entry: Buffer;
    readonly createdAt: number;
    /** Time to live. */
    readonly milliseconds: number;
}

/** Indexed by the result of the script. */
const PUT_RESULTS = ["newer", "stored", "same"] as const;
const SCAN_COUNT = 64;
const KEY = new RegExp(`^${CACHE_KEY_PREFIX}[\\w-]{43}$`);

/** Atomic, because a pod may store a newer entry between read and write. */
const PUT_IF_NEWER = `
local old = redis.call('getrange', KEYS[1], 0, ${CREATED_AT_OFFSET + 7})
if #old == ${CREATED_AT_OFFSET + 8} then
    local version = string.byte(old)
    if version > ${ENTRY_VERSION} then return 0 end
    local created = struct.unpack('<d', string.sub(old, ${CREATED_AT_OFFSET + 1}))
    if version == ${ENTRY_VERSION} and created >= tonumber(ARGV[2]) then
        if redis.call('get', KEYS[1]) == ARGV[1] then return 2 end
        return 0
    end
end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1`;

export function createEntryStore({ client, read, remove }: RedisCommands): EntryStore {
    const primaries = (): readonly Redis[] =>
        client instanceof Cluster ? client.nodes("master") : [client];

    async function* keysOn(node: Redis): AsyncGenerator<readonly string[], void> {
        let cursor = "0";
        do {
            const [next, found] = await retryWithBackoff(() =>
                node.scan(cursor, "MATCH", `${CACHE_KEY_PREFIX}*`, "COUNT", SCAN_COUNT),
            );
            cursor = next;
            yield found
                .filter((key) => KEY.test(key))
                .map((key) => key.slice(CACHE_KEY_PREFIX.length));
        } while (cursor !== "0");
    }

    return {
        read: (keys) => read(keys.map(redisKey)),
        remove: async (key) => (await remove([redisKey(key)])) > 0,
        putIfNewer: async ({ key, entry, createdAt, milliseconds }) => {
            const result = await client.eval(
                PUT_IF_NEWER,
                1,
                redisKey(key),
                entry,
                // Full precision: a rounded time could be older than the entry itself.
                String(createdAt),
                String(Math.ceil(milliseconds)),
            );
            return PUT_RESULTS[Number(result)] ?? "newer";
        },
        keys: async function* () {
            for (const node of primaries()) yield* keysOn(node);
        },
        count: async () => {
            const counts = await Promise.all(primaries().map((node) => node.dbsize()));
            return counts.reduce((sum, count) => sum + count, 0);
        },
    };
}

function redisKey(key: string): string {
    return CACHE_KEY_PREFIX + key;
}
