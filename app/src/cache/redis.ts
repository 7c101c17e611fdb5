import { CACHE_KEY_PREFIX, type RedisOperation } from "@property-search/contract";
import {
    BrokenCircuitError,
    circuitBreaker,
    CircuitState,
    ConsecutiveBreaker,
    handleAll,
} from "cockatiel";

import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { EntryCodec, Sealed } from "../vector/entry.ts";
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
export interface RedisEvents {
    readonly answered: (operation: RedisOperation, seconds: number) => void;
    readonly failed: (operation: RedisOperation) => void;
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
const HALF_OPEN_AFTER_MILLISECONDS = 1_000;
/** On their way to Redis; above either, new entries are dropped rather than kept in memory. */
const MAX_PENDING_WRITES = 4_096;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
const LEASE_PREFIX = `${CACHE_KEY_PREFIX}lease:`;

/** Redis behind a breaker: what fails or is slow is a miss. */
export function redisCache(commands: RedisCommands, options: RedisCacheOptions): SharedCache {
    const { codec, log, staleSeconds, events = noEvents } = options;
    const breaker = circuitBreaker(handleAll, {
        halfOpenAfter: HALF_OPEN_AFTER_MILLISECONDS,
        breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
    });
    let probing: NodeJS.Timeout | undefined;
    breaker.onBreak((reason) => {
        if (probing) return;
        const error = "error" in reason ? messageOf(reason.error) : "isolated";
        log.warn({ error }, "Redis does not answer: serving without it");
        // Without it, a pod that gets no requests would call Redis down for ever.
        probing = setInterval(probe, HALF_OPEN_AFTER_MILLISECONDS).unref();
    });
    breaker.onReset(() => {
        clearInterval(probing);
        probing = undefined;
        log.info("Redis answers again");
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
        try {
            return await breaker.execute(() =>
                timed("read", () => commands.read(keys.map(redisKey))),
            );
        } catch (error) {
            if (!(error instanceof BrokenCircuitError)) {
                log.debug({ error: messageOf(error) }, "A read from Redis failed");
            }
            return [];
        }
    }

    function probe(): void {
        breaker.execute(() => commands.ping()).catch(() => undefined);
    }

    function write(entries: readonly Sealed[]): void {
        if (breaker.state === CircuitState.Open) {
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
        timed("write", () => commands.write(writes))
            // Full or read-only Redis still answers reads, so failed writes leave the breaker alone.
            .catch((error: unknown) => {
                events.dropped(entries.length, "error");
                quietly("A write to Redis failed")(error);
            })
            .finally(() => {
                pendingWrites -= entries.length;
                pendingBytes -= bytes;
            });
    }

    async function remove(keys: readonly string[]): Promise<number> {
        return commands.remove(keys.map(redisKey));
    }

    /** Who cannot ask need not wait for anybody either. */
    async function lease(
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ): Promise<ReadonlySet<string>> {
        if (breaker.state === CircuitState.Open) return new Set(keys);
        try {
            const won = await timed("lease", () =>
                commands.claim(keys.map(leaseKey), token, milliseconds),
            );
            return new Set(keys.filter((_, index) => won[index]));
        } catch (error) {
            quietly("A lease could not be asked for")(error);
            return new Set(keys);
        }
    }

    function release(keys: readonly string[], token: string, milliseconds: number): void {
        if (breaker.state === CircuitState.Open) return;
        timed("release", () => commands.yield(keys.map(leaseKey), token, milliseconds)).catch(
            quietly("A lease could not be released"),
        );
    }

    async function timed<T>(operation: RedisOperation, run: () => Promise<T>): Promise<T> {
        const begun = performance.now();
        try {
            const answer = await run();
            events.answered(operation, (performance.now() - begun) / 1000);
            return answer;
        } catch (error) {
            events.failed(operation);
            throw error;
        }
    }

    function quietly(what: string): (error: unknown) => void {
        return (error) => log.debug({ error: messageOf(error) }, what);
    }

    return {
        read,
        write,
        remove,
        lease,
        release,
        state: () =>
            breaker.state === CircuitState.Closed && commands.connected() ? "up" : "down",
        close: async () => {
            clearInterval(probing);
            await commands.close();
        },
    };
}

function redisKey(key: string): string {
    return CACHE_KEY_PREFIX + key;
}

function leaseKey(key: string): string {
    return LEASE_PREFIX + key;
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
