import { randomUUID } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { EntryCodec, EncodedEntry } from "../vector/entry.ts";
import { withTimeout } from "../withTimeout.ts";
import { createBreaker as openBreaker } from "../redis/breaker.ts";
import { createLeases } from "./leases.ts";
import { instrument, type OperationEvents } from "./instrumented.ts";
import type { RedisCommands, Write } from "../redis/client.ts";
import { isErrorReply } from "../redis/errorReply.ts";
import type { SharedCache } from "./tiers.ts";

export interface RedisCacheOptions {
    readonly codec: EntryCodec;
    /** How long an entry is kept after it became stale, as a fallback. */
    readonly staleSeconds: number;
    readonly log: Log;
    readonly events?: RedisEvents;
    /** Called for each entry that was read, or has been written. */
    readonly onStored?: (key: string, embedding: Embedding) => void;
}

/** Why an entry was not written: too many pending writes, Redis is unavailable, or Redis rejected it. */
export const DROP_REASONS = ["full", "down", "error"] as const;

/** Metrics events of Redis. They must not throw. */
export interface RedisEvents extends OperationEvents {
    readonly onDropped: (entries: number, reason: (typeof DROP_REASONS)[number]) => void;
    readonly onCorrupt: () => void;
}

const noEvents: RedisEvents = {
    onSuccess: () => undefined,
    onFailure: () => undefined,
    onDropped: () => undefined,
    onCorrupt: () => undefined,
};

/** Failures that open the breaker; then no request waits for Redis. */
const FAILURES_TO_OPEN = 5;
const FAILING_MILLISECONDS = 300;
const PROBE_MILLISECONDS = 250;
/** Pending writes; beyond either limit, new entries are dropped instead of buffered. */
const MAX_PENDING_WRITES = 4_096;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** Limits of one operation. Larger requests are split, so that a timeout loses one batch only. */
const MAX_BATCH_ITEMS = 256;
const MAX_READ_BYTES = 512 * 1024;
/** Writes share the connection with reads, which wait for the batch in flight. */
const MAX_WRITE_BYTES = 128 * 1024;
/** Commands have their own timeout; this one protects the queue from a command that never settles. */
const WRITE_TIMEOUT_MILLISECONDS = 5_000;
/** Pause between warnings that Redis rejects writes. */
const WARNING_MILLISECONDS = 60_000;
/** Time for pending writes when the service closes. */
const LAST_WRITES_MILLISECONDS = 1_000;
/** After this many failed batches of one read, the rest are misses. */
const MAX_FAILED_BATCHES = 2;
/** Until the model's dimensions are known; some models have long vectors. */
const LIKELY_DIMENSIONS = 1_536;

/** The shared cache in Redis behind a circuit breaker. Failures and timeouts are misses. */
export function createRedisCache(client: RedisCommands, options: RedisCacheOptions): SharedCache {
    const { codec, log, staleSeconds, events = noEvents, onStored } = options;
    const commands = instrument(client, events);
    const breaker = openBreaker({
        failures: FAILURES_TO_OPEN,
        failingMilliseconds: FAILING_MILLISECONDS,
        probeMilliseconds: PROBE_MILLISECONDS,
        // Reads like requests do: a user that may only PING, or one node of many, must not close the breaker.
        probe: () => commands.read([redisKey(randomUUID())]),
        onOpened: (error) =>
            log.warn({ error: messageOf(error) }, "Redis is unavailable: serving without it"),
        onClosed: () => {
            log.info("Redis is available again");
            held.retryReleases();
        },
    });
    const {
        acquireLeases: lease,
        releaseLeases: release,
        ...held
    } = createLeases(commands, {
        isAvailable: () => !breaker.isOpen(),
        log,
    });
    let pendingWrites = 0;
    let pendingBytes = 0;
    let lastWrite: Promise<unknown> = Promise.resolve();
    let isClosed = false;
    let warnedAt = -Infinity;

    async function read(
        keys: readonly string[],
        dimensions: number | undefined,
    ): Promise<ReadonlyMap<string, Embedding>> {
        const found = new Map<string, Embedding>();
        const bytes = (dimensions ?? LIKELY_DIMENSIONS) * Float32Array.BYTES_PER_ELEMENT;
        let failures = 0;
        // Sequential: a timeout affects its own batch only, and received entries are kept.
        for (const batch of splitIntoBatches(keys, MAX_READ_BYTES, () => bytes)) {
            const values = await readBatch(batch);
            if (!values) failures += 1;
            if (failures >= MAX_FAILED_BATCHES) break;
            batch.forEach((key, index) => {
                const value = values?.[index];
                if (!value) return;
                const embedding = codec.decode(key, value, dimensions);
                if (embedding) {
                    found.set(key, embedding);
                    onStored?.(key, embedding);
                } else {
                    events.onCorrupt();
                    log.warn(
                        "An entry in Redis is corrupt or has an unknown format: treated as a miss",
                    );
                }
            });
        }
        return found;
    }

    async function readBatch(
        keys: readonly string[],
    ): Promise<readonly (Buffer | null)[] | undefined> {
        if (breaker.isOpen()) return undefined;
        try {
            return await breaker.run(() => commands.read(keys.map(redisKey)));
        } catch (error) {
            log.debug({ error: messageOf(error) }, "A read from Redis failed");
            return undefined;
        }
    }

    async function write(entries: readonly EncodedEntry[]): Promise<void> {
        if (breaker.isOpen()) {
            events.onDropped(entries.length, "down");
            return;
        }
        const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
        if (
            pendingWrites + entries.length > MAX_PENDING_WRITES ||
            pendingBytes + bytes > MAX_PENDING_BYTES
        ) {
            events.onDropped(entries.length, "full");
            return;
        }
        pendingWrites += entries.length;
        pendingBytes += bytes;
        const writing = lastWrite.then(() => writeBatches(entries));
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
    async function writeBatches(entries: readonly EncodedEntry[]): Promise<void> {
        for (const batch of splitIntoBatches(entries, MAX_WRITE_BYTES, ({ bytes }) => bytes)) {
            if (isClosed || breaker.isOpen()) {
                events.onDropped(batch.length, "down");
                continue;
            }
            try {
                await withTimeout(
                    WRITE_TIMEOUT_MILLISECONDS,
                    commands.write(batch.map(toWrite)),
                    rejectTimedOut,
                );
                for (const { key, embedding } of batch) onStored?.(key, embedding);
            } catch (error) {
                events.onDropped(batch.length, "error");
                log.debug({ error: messageOf(error) }, "A write to Redis failed");
                if (isErrorReply(error)) warnOfRejection(error);
            }
        }
    }

    function toWrite({ key, entry, embedding }: EncodedEntry): Write {
        const fresh = Math.max(1, embedding.freshUntil - wallClock());
        const milliseconds = Math.ceil(fresh + staleSeconds * 1000);
        return { key: redisKey(key), value: entry, milliseconds };
    }

    function warnOfRejection({ message }: Error): void {
        if (performance.now() < warnedAt + WARNING_MILLISECONDS) return;
        warnedAt = performance.now();
        log.warn({ error: message }, "Redis rejects writes: new entries are not shared");
    }

    async function remove(keys: readonly string[]): Promise<number> {
        return commands.remove(keys.map(redisKey));
    }

    return {
        read,
        write,
        remove,
        acquireLeases: lease,
        releaseLeases: release,
        state: () => (!breaker.isOpen() && commands.isConnected() ? "up" : "down"),
        close: async () => {
            breaker.stop();
            held.stop();
            await withTimeout(LAST_WRITES_MILLISECONDS, lastWrite, () => Promise.resolve());
            isClosed = true;
            await commands.close();
        },
    };
}

/** Splits items into batches that Redis can transfer within the operation timeout. */
function splitIntoBatches<T>(
    items: readonly T[],
    maxBytes: number,
    bytesOf: (item: T) => number,
): readonly (readonly T[])[] {
    const batches: T[][] = [];
    let remaining = { items: 0, bytes: 0 };
    for (const item of items) {
        const bytes = bytesOf(item);
        const last = batches.at(-1);
        if (last && remaining.items > 0 && remaining.bytes >= bytes) last.push(item);
        else {
            batches.push([item]);
            remaining = { items: MAX_BATCH_ITEMS, bytes: maxBytes };
        }
        remaining = { items: remaining.items - 1, bytes: remaining.bytes - bytes };
    }
    return batches;
}

function rejectTimedOut(): Promise<never> {
    return Promise.reject(new Error("The write timed out"));
}

function redisKey(key: string): string {
    return CACHE_KEY_PREFIX + key;
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
