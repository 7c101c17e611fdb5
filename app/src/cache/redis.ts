import { CACHE_KEY_PREFIX } from "@property-search/contract";
import {
    BrokenCircuitError,
    circuitBreaker,
    CircuitState,
    ConsecutiveBreaker,
    handleAll,
} from "cockatiel";

import type { Log } from "../log.ts";
import { decodeEntry, encodeEntry } from "../vector/entry.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { RedisCommands } from "./redisClient.ts";
import type { SharedCache } from "./tiers.ts";

export interface RedisCacheOptions {
    readonly ttlSeconds: number;
    readonly log: Log;
    /** In [0, 1); spreads expiry. */
    readonly random?: () => number;
}

/** So many failures in a row open the breaker: from then on nothing waits for Redis. */
const FAILURES_TO_OPEN = 5;
const HALF_OPEN_AFTER_MILLISECONDS = 1_000;
/** Entries on their way to Redis; above it new ones are dropped rather than kept in memory. */
const MAX_PENDING_WRITES = 4_096;
/** Up to this share is taken off a lifetime, so that what was stored together does not expire so. */
const TTL_JITTER = 0.1;

/** Redis behind a breaker: what fails or is slow is a miss. */
export function redisCache(commands: RedisCommands, options: RedisCacheOptions): SharedCache {
    const { log, ttlSeconds, random = Math.random } = options;
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

    async function read(
        keys: readonly string[],
        dimensions: number | undefined,
    ): Promise<ReadonlyMap<string, Embedding>> {
        const found = new Map<string, Embedding>();
        const values = await stored(keys);
        keys.forEach((key, index) => {
            const value = values[index];
            if (!value) return;
            const embedding = decodeEntry(key, value, dimensions);
            if (embedding) found.set(key, embedding);
            else log.warn("An entry in Redis is damaged or of another form: taken as a miss");
        });
        return found;
    }

    async function stored(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
        try {
            return await breaker.execute(() => commands.read(keys.map(redisKey)));
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

    function write(entries: readonly (readonly [string, Embedding])[]): void {
        if (breaker.state === CircuitState.Open) return;
        if (pendingWrites + entries.length > MAX_PENDING_WRITES) return;
        pendingWrites += entries.length;
        const writes = entries.map(([key, embedding]) => ({
            key: redisKey(key),
            value: encodeEntry(key, embedding),
            milliseconds: Math.ceil(ttlSeconds * 1000 * (1 - TTL_JITTER * random())),
        }));
        commands
            .write(writes)
            // Full or read-only Redis still answers reads, so failed writes leave the breaker alone.
            .catch((error: unknown) => {
                log.debug({ error: messageOf(error) }, "A write to Redis failed");
            })
            .finally(() => {
                pendingWrites -= entries.length;
            });
    }

    return {
        read,
        write,
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

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
