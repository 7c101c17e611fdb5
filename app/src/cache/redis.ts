import { randomUUID } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { EntryCodec, Sealed } from "../vector/entry.ts";
import { breaker as openBreaker } from "./breaker.ts";
import { leases } from "./leases.ts";
import { metered, type OperationEvents } from "./metered.ts";
import type { RedisCommands } from "./redisClient.ts";
import type { SharedCache } from "./tiers.ts";

export interface RedisCacheOptions {
    readonly codec: EntryCodec;
    /** How long an entry is kept after it went stale, for when nothing better can be had. */
    readonly staleSeconds: number;
    readonly log: Log;
    readonly events?: RedisEvents;
}

/** Why an entry was not written: too many wait already, Redis is down, or it refused the entry. */
export const DROP_REASONS = ["full", "down", "error"] as const;

/** What there is to count about Redis; none of it may throw. */
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

/** So many failures in a row open the breaker: from then on nothing waits for Redis. */
const FAILURES_TO_OPEN = 5;
const PROBE_MILLISECONDS = 1_000;
/** On their way to Redis; above either, new entries are dropped rather than kept in memory. */
const MAX_PENDING_WRITES = 4_096;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/** Redis behind a breaker: what fails or is slow is a miss. */
export function redisCache(client: RedisCommands, options: RedisCacheOptions): SharedCache {
    const { codec, log, staleSeconds, events = noEvents } = options;
    const commands = metered(client, events);
    const breaker = openBreaker({
        failures: FAILURES_TO_OPEN,
        probeMilliseconds: PROBE_MILLISECONDS,
        // What requests do, so that a user who may only PING, or one node of many, does not close it.
        probe: () => commands.read([redisKey(randomUUID())]),
        opened: (error) =>
            log.warn({ error: messageOf(error) }, "Redis does not answer: serving without it"),
        closed: () => {
            log.info("Redis answers again");
            held.pay();
        },
    });
    const { lease, release, ...held } = leases(commands, {
        available: () => !breaker.open(),
        log,
    });
    let pendingWrites = 0;
    let pendingBytes = 0;

    async function read(
        keys: readonly string[],
        dimensions: number | undefined,
    ): Promise<ReadonlyMap<string, Embedding>> {
        const found = new Map<string, Embedding>();
        const values = await stored(keys);
        keys.forEach((key, index) => {
            const value = values[index];
            if (!value) return;
            const embedding = codec.open(key, value, dimensions);
            if (embedding) found.set(key, embedding);
            else {
                events.damaged();
                log.warn("An entry in Redis is damaged or of another form: taken as a miss");
            }
        });
        return found;
    }

    async function stored(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
        if (breaker.open()) return [];
        try {
            return await breaker.attempt(() => commands.read(keys.map(redisKey)));
        } catch (error) {
            log.debug({ error: messageOf(error) }, "A read from Redis failed");
            return [];
        }
    }

    function write(entries: readonly Sealed[]): void {
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
        commands
            .write(writes)
            // Full or read-only Redis still answers reads, so failed writes leave the breaker alone.
            .catch((error: unknown) => {
                events.dropped(entries.length, "error");
                log.debug({ error: messageOf(error) }, "A write to Redis failed");
            })
            .finally(() => {
                pendingWrites -= entries.length;
                pendingBytes -= bytes;
            });
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
            await commands.close();
        },
    };
}

function redisKey(key: string): string {
    return CACHE_KEY_PREFIX + key;
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
