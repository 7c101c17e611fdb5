import { CACHE_KEY_PREFIX } from "@property-search/contract";
import type { Cluster, Redis } from "ioredis";

import { wallClock } from "../../clock.ts";
import type { NamespaceId, SealedText } from "../thread/messages.ts";

/** Encrypted texts in Redis, by namespace, oldest first. Each operation fails after Redis' operation timeout. */
export interface TextStore {
    readonly append: (namespace: NamespaceId, texts: readonly SealedText[]) => Promise<void>;
    /** @returns keys of texts that were added at or after this time, oldest first, and the time of the last one */
    readonly readSince: (
        namespace: NamespaceId,
        time: number,
        count: number,
    ) => Promise<readonly { readonly key: string; readonly time: number }[]>;
    readonly read: (
        namespace: NamespaceId,
        keys: readonly string[],
    ) => Promise<readonly SealedText[]>;
    readonly remove: (namespace: NamespaceId, keys: readonly string[]) => Promise<void>;
    /** Removes all texts and what was learned. */
    readonly drop: (namespace: NamespaceId) => Promise<void>;
    /** Replaces what was learned in a namespace. */
    readonly saveState: (namespace: NamespaceId, sealed: Uint8Array) => Promise<void>;
    readonly readState: (namespace: NamespaceId) => Promise<Uint8Array | undefined>;
    readonly removeState: (namespace: NamespaceId) => Promise<void>;
}

export interface TextStoreOptions {
    /** Texts of one namespace. */
    readonly maxTexts: number;
    /** No text is kept longer than the entry with its vector. Read for each append. */
    readonly lifetimeMilliseconds: () => number;
    /** Each build has its own state. */
    readonly build: string;
    /** In milliseconds since the Unix epoch. */
    readonly now?: () => number;
}

/** Texts beyond the bound, and older ones than the lifetime, are removed with one append in this many. */
const TRIM_EVERY = 64;

/**
 * Keys of each namespace, on one node of a cluster: a hash of texts, a sorted set of their times, and a hash of what
 * each build has learned.
 */
export function createRedisTextStore(
    client: Redis | Cluster,
    { maxTexts, lifetimeMilliseconds, build, now = wallClock }: TextStoreOptions,
): TextStore {
    let appends = 0;

    async function trim(namespace: NamespaceId): Promise<void> {
        const { times } = keysOf(namespace);
        const expired = await client.zrangebyscore(
            times,
            "-inf",
            String(now() - lifetimeMilliseconds()),
        );
        const excess = await client.zrange(times, 0, String(-maxTexts - 1));
        await removeFrom(namespace, [...new Set([...expired, ...excess])]);
    }

    async function removeFrom(namespace: NamespaceId, keys: readonly string[]): Promise<void> {
        if (keys.length === 0) return;
        const { texts, times } = keysOf(namespace);
        await execute(
            client
                .multi()
                .hdel(texts, ...keys)
                .zrem(times, ...keys),
        );
    }

    return {
        append: async (namespace, sealed) => {
            const { texts, times } = keysOf(namespace);
            const change = client.multi();
            for (const one of sealed) {
                change.hset(texts, one.key, Buffer.from(one.sealed));
                change.zadd(times, now(), one.key);
            }
            const lifetime = Math.ceil(lifetimeMilliseconds());
            change.pexpire(texts, lifetime).pexpire(times, lifetime);
            await execute(change);
            appends += 1;
            if (appends % TRIM_EVERY === 0) await trim(namespace);
        },
        readSince: async (namespace, time, count) => {
            const { times } = keysOf(namespace);
            const found = await client.zrangebyscore(
                times,
                time,
                "+inf",
                "WITHSCORES",
                "LIMIT",
                0,
                count,
            );
            return found.flatMap((key, at) =>
                at % 2 === 0 ? [{ key, time: Number(found[at + 1]) }] : [],
            );
        },
        read: async (namespace, keys) => {
            if (keys.length === 0) return [];
            const found = await client.hmgetBuffer(keysOf(namespace).texts, ...keys);
            return keys.flatMap((key, at) => {
                const bytes = found[at];
                return bytes ? [{ key, sealed: new Uint8Array(bytes) }] : [];
            });
        },
        remove: removeFrom,
        drop: async (namespace) => {
            const { texts, times, states } = keysOf(namespace);
            await client.unlink(texts, times, states);
        },
        saveState: async (namespace, sealed) => {
            const { states } = keysOf(namespace);
            const change = client.multi().hset(states, build, Buffer.from(sealed));
            await execute(change.pexpire(states, Math.ceil(lifetimeMilliseconds())));
        },
        readState: async (namespace) =>
            (await client.hgetBuffer(keysOf(namespace).states, build)) ?? undefined,
        removeState: async (namespace) => {
            await client.hdel(keysOf(namespace).states, build);
        },
    };
}

function keysOf(namespace: NamespaceId) {
    const stem = `${CACHE_KEY_PREFIX}{semantic:${namespace}}`;
    return { texts: `${stem}:texts`, times: `${stem}:times`, states: `${stem}:states` };
}

/** @throws Error of the first command that failed */
async function execute(change: ReturnType<Redis["multi"]>): Promise<void> {
    const failed = (await change.exec())?.find(([error]) => error);
    if (failed?.[0]) throw failed[0];
}
