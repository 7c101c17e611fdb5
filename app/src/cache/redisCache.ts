import { randomUUID } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { EntryCodec, EncodedEntry } from "../vector/entry.ts";
import { within } from "../withTimeout.ts";
import { breaker as openBreaker } from "../redis/breaker.ts";
import { leases } from "./leases.ts";
import { metered, type OperationEvents } from "./instrumented.ts";
import type { RedisCommands, Write } from "../redis/client.ts";
import type { SharedCache } from "./tiers.ts";

export interface RedisCacheOptions {
    readonly codec: EntryCodec;
    /** How long an entry is kept after it became stale, as a fallback. */
    readonly staleSeconds: number;
    readonly log: Log;
    readonly events?: RedisEvents;
}

/** Why an entry was not written: too many pending writes, Redis is unavailable, or Redis rejected it. */
export const DROP_REASONS = ["full", "down", "error"] as const;

/** Metrics events of Redis. They must not throw. */
export interface RedisEvents extends OperationEvents {
    readonly dropped: (entries: number, reason: (typeof DROP_REASONS)[number]) => void;
    readonly damaged: () => void;
}

const noEvents: RedisEvents = {
    answered: () => undefined,
    failed: () => undefined,
    dropped: () => undefined,
    damaged: () => undefined,
};

/** Consecutive failures that open the breaker; then no request waits for Redis. */
const FAILURES_TO_OPEN = 5;
const PROBE_MILLISECONDS = 1_000;
/** Pending writes; beyond either limit, new entries are dropped instead of buffered. */
const MAX_PENDING_WRITES = 4_096;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** Limits of one operation. Larger requests are split, so that a timeout loses one batch only. */
const PART_ITEMS = 256;
const READ_BYTES = 512 * 1024;
/** Writes share the connection with reads, which wait for the batch in flight. */
const WRITE_BYTES = 128 * 1024;
/** Commands have their own timeout; this one protects the queue from a command that never settles. */
const LONGEST_WRITE_MILLISECONDS = 5_000;
/** Time for pending writes when the service closes. */
const LAST_WRITES_MILLISECONDS = 1_000;
/** After this many failed batches of one read, the rest are misses. */
const FAILED_PARTS = 2;
/** Until the model's dimensions are known; some models have long vectors. */
const UNKNOWN_DIMENSIONS = 1_536;

/** The shared cache in Redis behind a circuit breaker. Failures and timeouts are misses. */
export function redisCache(client: RedisCommands, options: RedisCacheOptions): SharedCache {
    const { codec, log, staleSeconds, events = noEvents } = options;
    const commands = metered(client, events);
    const breaker = openBreaker({
        failures: FAILURES_TO_OPEN,
        probeMilliseconds: PROBE_MILLISECONDS,
        // Reads like requests do: a user that may only PING, or one node of many, must not close the breaker.
        probe: () => commands.read([redisKey(randomUUID())]),
        opened: (error) =>
            log.warn({ error: messageOf(error) }, "Redis is unavailable: serving without it"),
        closed: () => {
            log.info("Redis is available again");
            held.pay();
        },
    });
    const { lease, release, ...held } = leases(commands, {
        available: () => !breaker.open(),
        log,
    });
    let pendingWrites = 0;
    let pendingBytes = 0;
    let lastWrite: Promise<unknown> = Promise.resolve();
    let isClosed = false;

    async function read(
        keys: readonly string[],
        dimensions: number | undefined,
    ): Promise<ReadonlyMap<string, Embedding>> {
        const found = new Map<string, Embedding>();
        const bytes = (dimensions ?? UNKNOWN_DIMENSIONS) * Float32Array.BYTES_PER_ELEMENT;
        let failures = 0;
        // Sequential: a timeout affects its own batch only, and received entries are kept.
        for (const part of parts(keys, READ_BYTES, () => bytes)) {
            const values = await stored(part);
            if (!values) failures += 1;
            if (failures >= FAILED_PARTS) break;
            part.forEach((key, index) => {
                const value = values?.[index];
                if (!value) return;
                const embedding = codec.decode(key, value, dimensions);
                if (embedding) found.set(key, embedding);
                else {
                    events.damaged();
                    log.warn(
                        "An entry in Redis is corrupt or has an unknown format: treated as a miss",
                    );
                }
            });
        }
        return found;
    }

    async function stored(
        keys: readonly string[],
    ): Promise<readonly (Buffer | null)[] | undefined> {
        if (breaker.open()) return undefined;
        try {
            return await breaker.attempt(() => commands.read(keys.map(redisKey)));
        } catch (error) {
            log.debug({ error: messageOf(error) }, "A read from Redis failed");
            return undefined;
        }
    }

    async function write(entries: readonly EncodedEntry[]): Promise<void> {
        if (breaker.open()) {
            events.dropped(entries.length, "down");
            return;
        }
        const bytes = entries.reduce((sum, { entry }) => sum + entry.length, 0);
        if (
            pendingWrites + entries.length > MAX_PENDING_WRITES ||
            pendingBytes + bytes > MAX_PENDING_BYTES
        ) {
            events.dropped(entries.length, "full");
            return;
        }
        pendingWrites += entries.length;
        pendingBytes += bytes;
        const now = wallClock();
        const writes = entries.map(({ key, entry, embedding }) => ({
            key: redisKey(key),
            value: entry,
            milliseconds: Math.ceil(Math.max(1, embedding.freshUntil - now) + staleSeconds * 1000),
        }));
        const writing = lastWrite.then(() => store(writes));
        // A failed write does not stop the next ones.
        lastWrite = writing.catch(() => undefined);
        try {
            await writing;
        } finally {
            pendingWrites -= entries.length;
            pendingBytes -= bytes;
        }
    }

    /** A full or read-only Redis still serves reads, so failed writes do not count for the breaker. */
    async function store(writes: readonly Write[]): Promise<void> {
        for (const part of parts(writes, WRITE_BYTES, ({ value }) => value.length)) {
            if (isClosed || breaker.open()) {
                events.dropped(part.length, "down");
                continue;
            }
            try {
                await within(LONGEST_WRITE_MILLISECONDS, commands.write(part), tookTooLong);
            } catch (error) {
                events.dropped(part.length, "error");
                log.debug({ error: messageOf(error) }, "A write to Redis failed");
            }
        }
    }

    async function remove(keys: readonly string[]): Promise<number> {
        return commands.remove(keys.map(redisKey));
    }

    return {
        read,
        write,
        remove,
        lease,
        release,
        state: () => (!breaker.open() && commands.connected() ? "up" : "down"),
        close: async () => {
            breaker.stop();
            held.stop();
            await within(LAST_WRITES_MILLISECONDS, lastWrite, () => Promise.resolve());
            isClosed = true;
            await commands.close();
        },
    };
}

/** Splits items into batches that Redis can transfer within the operation timeout. */
function parts<T>(
    items: readonly T[],
    mostBytes: number,
    bytesOf: (item: T) => number,
): readonly (readonly T[])[] {
    const made: T[][] = [];
    let room = { items: 0, bytes: 0 };
    for (const item of items) {
        const bytes = bytesOf(item);
        const part = made.at(-1);
        if (part && room.items > 0 && room.bytes >= bytes) part.push(item);
        else {
            made.push([item]);
            room = { items: PART_ITEMS, bytes: mostBytes };
        }
        room = { items: room.items - 1, bytes: room.bytes - bytes };
    }
    return made;
}

function tookTooLong(): Promise<never> {
    return Promise.reject(new Error("The write timed out"));
}

function redisKey(key: string): string {
    return CACHE_KEY_PREFIX + key;
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
