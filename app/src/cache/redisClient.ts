import { Cluster, Redis } from "ioredis";

import type { RedisConfig } from "../config.ts";
import type { Log } from "../log.ts";

export interface Write {
    readonly key: string;
    readonly value: Buffer;
    readonly milliseconds: number;
}

/** The few commands that the cache needs; each fails within the operation timeout. */
export interface RedisCommands {
    readonly read: (keys: readonly string[]) => Promise<readonly (Buffer | null)[]>;
    readonly write: (writes: readonly Write[]) => Promise<void>;
    /** @returns how many of them were there */
    readonly remove: (keys: readonly string[]) => Promise<number>;
    /** Sets each key that is not there. @returns whether it was set, in the keys' order */
    readonly claim: (
        keys: readonly string[],
        value: string,
        milliseconds: number,
    ) => Promise<readonly boolean[]>;
    /** Lets each key that still has this value expire after so long; 0 removes it. */
    readonly yield: (keys: readonly string[], value: string, milliseconds: number) => Promise<void>;
    /** Adds to fields of a hash, which ends after so long. @returns their sums, in order */
    readonly addTo: (
        key: string,
        fields: Readonly<Record<string, number>>,
        seconds: number,
    ) => Promise<readonly number[]>;
    readonly hash: (key: string) => Promise<Readonly<Record<string, string>>>;
    readonly put: (key: string, field: string, value: string) => Promise<unknown>;
    readonly increment: (key: string, field: string) => Promise<number>;
    readonly ping: () => Promise<unknown>;
    /** For what is off the path of requests: its commands fail within the same time. */
    readonly client: Redis | Cluster;
    readonly connected: () => boolean;
    readonly close: () => Promise<void>;
}

/** Longest wait for one operation. A healthy Redis in the same zone answers in a few milliseconds. */
const OPERATION_TIMEOUT_MILLISECONDS = 100;
const CONNECT_TIMEOUT_MILLISECONDS = 2_000;
const MAX_RECONNECT_DELAY_MILLISECONDS = 1_000;
const LONGEST_MGET = 256;

/** Only who claimed a key may yield it: another may have it by now (https://redis.io/docs/latest/commands/set/). */
const YIELD =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0";

/** Connects in the background and for ever; commands fail at once while there is no connection. */
export function redisClient(config: RedisConfig, log: Log): RedisCommands {
    const client = config.mode === "cluster" ? connectCluster(config) : connect(config);
    let last = "";
    client.on("error", (error: Error) => {
        // Every attempt to reconnect reports the same error again.
        if (error.message !== last) log.warn({ error: error.message }, "Redis connection");
        last = error.message;
    });
    client.on("ready", () => {
        last = "";
        log.info({ mode: config.mode }, "Redis connected");
    });
    return {
        read:
            client instanceof Cluster
                ? (keys) => getEach(client, keys)
                : (keys) => mget(client, keys),
        write: (writes) => setEach(client, writes),
        remove: async (keys) => {
            const removed = await Promise.all(keys.map((key) => client.unlink(key)));
            return removed.reduce((sum, count) => sum + count, 0);
        },
        claim: async (keys, value, milliseconds) => {
            const answers = await Promise.all(
                keys.map((key) => client.set(key, value, "PX", milliseconds, "NX")),
            );
            return answers.map((answer) => answer === "OK");
        },
        yield: async (keys, value, milliseconds) => {
            await Promise.all(
                keys.map((key) => client.eval(YIELD, 1, key, value, String(milliseconds))),
            );
        },
        addTo: async (key, fields, seconds) => {
            const adds = Object.entries(fields).map(([field, by]) =>
                client.hincrby(key, field, by),
            );
            const [sums] = await Promise.all([Promise.all(adds), client.expire(key, seconds)]);
            return sums;
        },
        hash: (key) => client.hgetall(key),
        put: (key, field, value) => client.hset(key, field, value),
        increment: (key, field) => client.hincrby(key, field, 1),
        ping: () => client.ping(),
        client,
        connected: () => client.status === "ready",
        close: () => close(client),
    };
}

function options(config: RedisConfig) {
    const { url } = config;
    return {
        username: config.username ?? (decodeURIComponent(url.username) || undefined),
        password: config.password ?? (decodeURIComponent(url.password) || undefined),
        ...(url.protocol === "rediss:" ? { tls: {} } : {}),
        connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
        commandTimeout: OPERATION_TIMEOUT_MILLISECONDS,
        // A command that cannot be sent now is a miss now.
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        autoResendUnfulfilledCommands: false,
        keepAlive: 10_000,
    };
}

function address({ url }: RedisConfig): { host: string; port: number } {
    return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || "6379") };
}

function connect(config: RedisConfig): Redis {
    const database = Number(config.url.pathname.slice(1));
    return new Redis({
        ...options(config),
        ...address(config),
        ...(database > 0 ? { db: database } : {}),
        retryStrategy: reconnectDelay,
    });
}

function connectCluster(config: RedisConfig): Cluster {
    return new Cluster([address(config)], {
        redisOptions: options(config),
        enableOfflineQueue: false,
        clusterRetryStrategy: reconnectDelay,
        slotsRefreshTimeout: CONNECT_TIMEOUT_MILLISECONDS,
        // Names of nodes resolve inside the cluster only; TLS needs the name, not its address.
        dnsLookup: (host, callback) => callback(null, host),
    });
}

function reconnectDelay(attempt: number): number {
    return Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MILLISECONDS);
}

async function mget(client: Redis, keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    const parts: Promise<(Buffer | null)[]>[] = [];
    for (let start = 0; start < keys.length; start += LONGEST_MGET) {
        parts.push(client.mgetBuffer(keys.slice(start, start + LONGEST_MGET)));
    }
    return (await Promise.all(parts)).flat();
}

/** The keys of a batch lie on different nodes, and MGET takes those of one slot only. */
function getEach(client: Cluster, keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    return Promise.all(keys.map((key) => client.getBuffer(key)));
}

/** Commands issued in one turn share a packet, so this is a pipeline on every node concerned. */
async function setEach(client: Redis | Cluster, writes: readonly Write[]): Promise<void> {
    await Promise.all(
        writes.map(({ key, value, milliseconds }) => client.set(key, value, "PX", milliseconds)),
    );
}

async function close(client: Redis | Cluster): Promise<void> {
    try {
        // Writes that were begun go out before the connection ends.
        await client.quit();
    } catch {
        client.disconnect();
    }
}
