import { CACHE_KEY_PREFIX } from "@property-search/contract";
import { Cluster, type Redis } from "ioredis";

import { AT_CREATED, ENTRY_VERSION } from "../vector/entry.ts";
import { patiently } from "./patiently.ts";
import type { RedisCommands } from "./redisClient.ts";

/** The shared cache's entries as they are stored, for administration: it fails where requests would go on. */
export interface EntryStore {
    /** @returns their bytes in the keys' order, null for what is not there */
    readonly read: (keys: readonly string[]) => Promise<readonly (Buffer | null)[]>;
    /** @returns whether it was there */
    readonly remove: (key: string) => Promise<boolean>;
    /**
     * Stores an entry unless one is there that was made at the same time or later.
     *
     * @returns `same` where the very same is there: as after a write whose answer was lost
     */
    readonly putIfNewer: (write: EntryWrite) => Promise<(typeof PUT_RESULTS)[number]>;
    /**
     * Keys of all entries, a few at a time and on every primary in turn; those that come or go meanwhile
     * may be told or not, and some twice (https://redis.io/docs/latest/commands/scan/).
     */
    readonly keys: () => AsyncGenerator<readonly string[], void>;
    /** Keys in Redis, more or less: an upper bound of what `keys` will tell. */
    readonly count: () => Promise<number>;
}

export interface EntryWrite {
    readonly key: string;
    readonly entry: Buffer;
    readonly createdAt: number;
    /** How long it is kept. */
    readonly milliseconds: number;
}

/** By what the script returns. */
const PUT_RESULTS = ["newer", "stored", "same"] as const;
const KEYS_AT_ONCE = 64;
const KEY = new RegExp(`^${CACHE_KEY_PREFIX}[\\w-]{43}$`);

/** In one step, since a pod may store a newer one between a look and a write. */
const PUT_IF_NEWER = `
local old = redis.call('getrange', KEYS[1], 0, ${AT_CREATED + 7})
if #old == ${AT_CREATED + 8} then
    local version = string.byte(old)
    if version > ${ENTRY_VERSION} then return 0 end
    local created = struct.unpack('<d', string.sub(old, ${AT_CREATED + 1}))
    if version == ${ENTRY_VERSION} and created >= tonumber(ARGV[2]) then
        if redis.call('get', KEYS[1]) == ARGV[1] then return 2 end
        return 0
    end
end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1`;

export function entryStore({ client, read, remove }: RedisCommands): EntryStore {
    const primaries = (): readonly Redis[] =>
        client instanceof Cluster ? client.nodes("master") : [client];

    async function* keysOn(node: Redis): AsyncGenerator<readonly string[], void> {
        let cursor = "0";
        do {
            const [next, found] = await patiently(() =>
                node.scan(cursor, "MATCH", `${CACHE_KEY_PREFIX}*`, "COUNT", KEYS_AT_ONCE),
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
                // All digits: a rounded one could be older than itself.
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
