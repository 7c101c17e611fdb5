import { CACHE_KEY_PREFIX } from "@property-search/contract";
import type { Cluster, Redis } from "ioredis";

/** Storage of one record with a version. Each operation fails after Redis' operation timeout. */
export interface VersionedStore {
    /** @returns the version of the stored record; undefined if there is none */
    readonly version: () => Promise<number | undefined>;
    readonly read: () => Promise<string | undefined>;
    /** @returns whether it was stored, which it is only if the stored version is the previous one */
    readonly putNext: (version: number, record: string) => Promise<boolean>;
    /** Stores a record that Redis has lost, unless it has a newer one. */
    readonly restore: (version: number, record: string) => Promise<void>;
    /** Calls back each time that the store can be reached, for the first time or again. */
    readonly onReachable: (callback: () => void) => void;
}

/** Fields of one key: polling the version protects the record from LRU eviction. */
const [VERSION, RECORD] = ["version", "record"] as const;

/** Atomic: of two operators who replace the same version, one is rejected. ARGV[3] is the version of no record. */
const PUT_NEXT = `
if tonumber(redis.call('hget', KEYS[1], '${VERSION}') or ARGV[3]) ~= tonumber(ARGV[1]) - 1 then return 0 end
redis.call('hset', KEYS[1], '${VERSION}', ARGV[1], '${RECORD}', ARGV[2])
return 1`;

/** Atomic: another pod may have restored it, and an operator replaced it. */
const RESTORE = `
if tonumber(redis.call('hget', KEYS[1], '${VERSION}') or ARGV[3]) >= tonumber(ARGV[1]) then return 0 end
redis.call('hset', KEYS[1], '${VERSION}', ARGV[1], '${RECORD}', ARGV[2])
return 1`;

/**
 * @param name of the key in Redis
 * @param initialVersion version of a record that was never stored
 */
export function createRedisVersionedStore(
    client: Redis | Cluster,
    name: string,
    initialVersion: number,
): VersionedStore {
    const key = CACHE_KEY_PREFIX + name;
    const run = (script: string, version: number, record: string) =>
        client.eval(script, 1, key, String(version), record, String(initialVersion));
    return {
        version: async () => {
            const version = await client.hget(key, VERSION);
            return version === null ? undefined : Number(version);
        },
        read: async () => (await client.hget(key, RECORD)) ?? undefined,
        putNext: async (version, record) => (await run(PUT_NEXT, version, record)) === 1,
        restore: async (version, record) => {
            await run(RESTORE, version, record);
        },
        onReachable: (callback) => void client.on("ready", callback),
    };
}

/** Store of a pod without Redis; nothing is shared. */
export function createInMemoryVersionedStore(): VersionedStore {
    return {
        version: () => Promise.resolve(undefined),
        read: () => Promise.resolve(undefined),
        putNext: () => Promise.resolve(true),
        restore: () => Promise.resolve(),
        onReachable: () => undefined,
    };
}
