import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { setTimeout as wait } from "node:timers/promises";
import { pino } from "pino";

import { wallClock } from "../../src/clock.ts";
import { createRedisCache } from "../../src/cache/redisCache.ts";
import type { RedisCommands } from "../../src/redis/client.ts";
import type { SharedCache } from "../../src/cache/tiers.ts";
import { createEmbedding } from "../../src/vector/embedding.ts";
import { createEntryCodec, buildIdOf } from "../../src/vector/entry.ts";
import { eventually } from "../support/eventually.ts";
import { trueVector } from "../support/vectors.ts";

const DIMENSIONS = 3_072;
const BATCH = 2_048;
const PART_BYTES = 512 * 1024;

const log = pino({ level: "silent" });
const codec = createEntryCodec({ precision: "float32", buildId: buildIdOf(["test"]) });
const now = wallClock();
const life = { createdAt: now, freshUntil: now + 600_000, computeMilliseconds: 1 };
const vector = trueVector("any", DIMENSIONS);
const entries = Array.from({ length: BATCH }, (_, n) =>
    codec.encode(`key ${n}`, createEmbedding(vector, 1, false, life), "5ace"),
);
const keys = entries.map(({ key }) => key);

let cache: SharedCache | undefined;

afterEach(() => cache?.close());

/** A Redis in this process, whose reads the test can delay. */
function redisOf(isLate: (read: number, items: number) => boolean) {
    const stored = new Map<string, Buffer>();
    const operations: { kind: "read" | "write" | "claim"; items: number; bytes: number }[] = [];
    let reads = 0;
    const namesRead: string[] = [];
    const commands = {
        read: (names: readonly string[]) => {
            reads += 1;
            namesRead.push(...names);
            if (isLate(reads, names.length)) return Promise.reject(new Error("Command timed out"));
            const values = names.map((name) => stored.get(name) ?? null);
            const bytes = values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
            operations.push({ kind: "read", items: names.length, bytes });
            return Promise.resolve(values);
        },
        write: (writes: readonly { key: string; value: Buffer }[]) => {
            const bytes = writes.reduce((sum, { value }) => sum + value.length, 0);
            operations.push({ kind: "write", items: writes.length, bytes });
            for (const { key, value } of writes) stored.set(key, value);
            return Promise.resolve();
        },
        acquireLeases: (names: readonly string[]) => {
            operations.push({ kind: "claim", items: names.length, bytes: 0 });
            return Promise.resolve(names.map(() => true));
        },
        isConnected: () => true,
        close: () => Promise.resolve(),
    } as unknown as RedisCommands;
    cache = createRedisCache(commands, { codec, staleSeconds: 60, log });
    const read = (key: string) => namesRead.filter((name) => name.endsWith(key)).length;
    return { cache, stored, operations, read };
}

describe("a batch of 2,048 long vectors in Redis", () => {
    test("is written, read and leased in parts that Redis processes in time", async () => {
        const { cache, stored, operations } = redisOf(() => false);
        await cache.write(entries);
        expect(stored.size).toBe(BATCH);
        expect((await cache.read(keys, DIMENSIONS)).size).toBe(BATCH);
        expect((await cache.acquireLeases(keys, "token", 1_000)).size).toBe(BATCH);
        for (const { items, bytes } of operations) {
            expect(items).toBeLessThanOrEqual(256);
            expect(bytes).toBeLessThanOrEqual(PART_BYTES * 1.05);
        }
    });

    test("is written one part at a time, and so are several batches, with reads in between", async () => {
        const { cache, operations } = redisOf(() => false);
        const half = BATCH / 2;
        const writing = [cache.write(entries.slice(0, half)), cache.write(entries.slice(half))];
        await Promise.resolve();
        expect(operations.filter(({ kind }) => kind === "write")).toHaveLength(1);
        await cache.read(keys.slice(0, 1), DIMENSIONS);
        const before = operations.findIndex(({ kind }) => kind === "read");
        await Promise.all(writing);
        expect(before).toBeLessThan(operations.length / 2);
        for (const { kind, bytes } of operations) {
            if (kind === "write") expect(bytes).toBeLessThanOrEqual(128 * 1024 * 1.05);
        }
    });

    test("is found except for the late part, and opens no breaker", async () => {
        const { cache, stored } = redisOf((read) => read === 3);
        await cache.write(entries);
        expect(stored.size).toBe(BATCH);
        for (let n = 0; n < 6; n += 1) {
            const found = await cache.read(keys, DIMENSIONS);
            expect(found.size).toBeGreaterThanOrEqual(BATCH - 64);
            expect(cache.state()).toBe("up");
        }
    });

    test("is read again after a pause that failed many reads at once", async () => {
        let isPaused = true;
        const { cache } = redisOf(() => isPaused);
        await cache.write(entries);
        await Promise.all(keys.slice(0, 50).map((key) => cache.read([key], DIMENSIONS)));
        isPaused = false;
        expect((await cache.read(keys, DIMENSIONS)).size).toBe(BATCH);
    });

    test("is not read once reads have failed for a while", async () => {
        const { cache, read } = redisOf(() => true);
        const [key = ""] = keys;
        await eventually("it is down", async () => {
            await cache.read([key], DIMENSIONS);
            return cache.state() === "down";
        });
        const before = read(key);
        expect(before).toBeGreaterThan(0);
        for (let n = 0; n < 10; n += 1) await cache.read([key], DIMENSIONS);
        expect(read(key)).toBe(before);
    });

    test("is a miss if Redis is late for large reads only, and opens no breaker", async () => {
        const { cache } = redisOf((_, items) => items > 1);
        await cache.write(entries);
        for (let n = 0; n < 6; n += 1) {
            expect((await cache.read(keys, DIMENSIONS)).size).toBe(0);
            expect((await cache.read(keys.slice(0, 1), DIMENSIONS)).size).toBe(1);
        }
        for (let n = 0; n < 10; n += 1) {
            await cache.read(keys, DIMENSIONS);
            await wait(50);
            expect(cache.state()).toBe("up");
        }
        expect((await cache.read(keys.slice(0, 1), DIMENSIONS)).size).toBe(1);
    });

    test("is not read completely from a Redis that hangs", async () => {
        let reads = 0;
        const { cache } = redisOf(() => {
            reads += 1;
            return true;
        });
        expect((await cache.read(keys, DIMENSIONS)).size).toBe(0);
        expect(reads).toBe(2);
    });
});

describe("writes to Redis", () => {
    test("continue after a command that never settles, and after an event that throws", async () => {
        jest.useFakeTimers();
        try {
            const { commands, stored } = storeOf(1);
            let isBroken = true;
            const events = {
                onSuccess: () => undefined,
                onFailure: () => undefined,
                onCorrupt: () => undefined,
                onDropped: () => {
                    if (isBroken) throw new Error("a fault of the program");
                },
            };
            cache = createRedisCache(commands, { codec, staleSeconds: 60, log, events });
            const first = expect(cache.write(entries.slice(0, 1))).rejects.toThrow("fault");
            const second = cache.write(entries.slice(1, 2));
            await jest.advanceTimersByTimeAsync(10_000);
            await first;
            isBroken = false;
            await second;
            expect([...stored.keys()]).toEqual([expect.stringContaining("key 1")]);
        } finally {
            jest.useRealTimers();
        }
    });

    test.each(["OOM", "READONLY", "NOPERM", "MISCONF"])(
        "that Redis rejects with %s are dropped with one warning",
        async (code) => {
            const rejection = Object.assign(new Error(`${code} rejected`), { name: "ReplyError" });
            const { commands } = storeOf(0);
            const full = { ...commands, write: () => Promise.reject(rejection) };
            const warn = jest.spyOn(log, "warn");
            cache = createRedisCache(full, { codec, staleSeconds: 60, log });
            for (const entry of entries.slice(0, 3)) await cache.write([entry]);
            expect(warn.mock.calls).toEqual([
                [{ error: rejection.message }, "Redis rejects writes: new entries are not shared"],
            ]);
            warn.mockRestore();
        },
    );

    test("that are pending on close are sent", async () => {
        const { commands, stored } = storeOf(0);
        const closing = createRedisCache(commands, { codec, staleSeconds: 60, log });
        const writing = closing.write(entries.slice(0, 100));
        await closing.close();
        expect(stored.size).toBe(100);
        await writing;
    });
});

/** A Redis in this process that never responds to one write, and to none after its end. */
function storeOf(unanswered: number) {
    const stored = new Map<string, Buffer>();
    let writes = 0;
    let isClosed = false;
    const commands = {
        write: async (batch: readonly { key: string; value: Buffer }[]) => {
            writes += 1;
            if (isClosed) throw new Error("Connection is closed.");
            if (writes === unanswered) await new Promise(() => undefined);
            await Promise.resolve();
            for (const { key, value } of batch) stored.set(key, value);
        },
        isConnected: () => true,
        close: () => {
            isClosed = true;
            return Promise.resolve();
        },
    } as unknown as RedisCommands;
    return { commands, stored };
}
