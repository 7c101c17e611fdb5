import { createHash } from "node:crypto";

import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { parseTenants } from "@property-search/contract";
import { pino } from "pino";

import { createSingleFlight } from "../../src/cache/singleFlight.ts";
import { createLocalCache } from "../../src/cache/localCache.ts";
import { createResolver } from "../../src/cache/resolver.ts";
import { noSharedCache } from "../../src/cache/tiers.ts";
import { createTenantDirectory } from "../../src/tenants/tenantDirectory.ts";
import { createAuthenticator } from "../../src/tenants/authenticator.ts";
import { LimitError } from "../../src/upstream/limitError.ts";
import { createTokenBudget } from "../../src/tenants/tokenBudget.ts";
import { createUsage } from "../../src/tenants/usage.ts";
import type { UsageStore } from "../../src/tenants/usageStore.ts";
import { createContext } from "../support/requestContext.ts";

const log = pino({ level: "silent" });
const KEY = "key";
const sha256 = createHash("sha256").update(KEY).digest("hex");

beforeEach(() => {
    jest.useFakeTimers({ now: Date.parse("2026-11-29T10:00:00.100Z") });
});
afterEach(() => {
    jest.useRealTimers();
});

/** The contents of Redis, and how it responds. */
function fakeRedis() {
    const hashes = new Map<string, Map<string, number>>();
    const redis = {
        exchanges: 0,
        /** It executes a command, and the response is lost. */
        isMute: false,
        latencyMilliseconds: 0,
        sum: (key: string, field: string) => hashes.get(key)?.get(field) ?? 0,
        store: {
            addAndRead: async (key, pod, additions) => {
                redis.exchanges += 1;
                const wait = redis.latencyMilliseconds;
                if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
                const hash = hashes.get(key) ?? new Map<string, number>();
                hashes.set(key, hash);
                const sums = Object.entries(additions).map(([name, by]) => {
                    for (const field of [name, `${name}:${pod}`]) {
                        hash.set(field, (hash.get(field) ?? 0) + by);
                    }
                    const [all = 0, own = 0] = [hash.get(name), hash.get(`${name}:${pod}`)];
                    return [name, { all, own }] as const;
                });
                if (redis.isMute) throw new Error("Command timed out");
                return Object.fromEntries(sums);
            },
        } as UsageStore,
    };
    return redis;
}

/** The limits of one tenant, as applied by one pod. */
function pod(limits: object, store?: UsageStore) {
    const listed = createTenantDirectory(
        parseTenants(JSON.stringify({ tenants: [{ id: "t", keys: [{ sha256 }], limits }] })),
    );
    const used = createUsage(store, log);
    used.start();
    const gate = createAuthenticator({
        currentDirectory: () => listed,
        usage: used,
        anonymous: undefined,
    });
    const budget = createTokenBudget({
        limitsOf: (id) => listed.findById(id)?.limits,
        usage: used,
    });
    const text = (bytes: number) => ({ kind: "text", text: "x".repeat(bytes) }) as const;
    return {
        sync: () => used.sync("t"),
        enters: (): boolean => {
            try {
                gate.admit(["authorization", `Bearer ${KEY}`]).release();
                return true;
            } catch (error) {
                if (error instanceof LimitError) return false;
                throw error;
            }
        },
        reserve: async (bytes: number) => budget.reserve("t", [text(bytes)]),
        /** Sends a text of this many bytes upstream, which bills this many tokens. */
        send: async (bytes: number, tokens: number): Promise<boolean> => {
            try {
                const reservation = await budget.reserve("t", [text(bytes)]);
                reservation?.charge([text(bytes)], tokens);
                reservation?.end();
                return true;
            } catch {
                return false;
            }
        },
    };
}

describe("Requests per second, over four pods", () => {
    test.each([0, 5])(
        "stay within the limit in each second, with Redis %i ms away",
        async (latency) => {
            const redis = fakeRedis();
            redis.latencyMilliseconds = latency;
            const pods = Array.from({ length: 4 }, () =>
                pod({ requestsPerSecond: 10 }, redis.store),
            );
            const bySecond: number[] = [];
            // Each pod gets 25 requests per second, for a minute and beyond its end.
            for (let second = 0; second < 70; second += 1) {
                let admitted = 0;
                for (let turn = 0; turn < 25; turn += 1) {
                    for (const one of pods) if (one.enters()) admitted += 1;
                    await jest.advanceTimersByTimeAsync(40);
                }
                bySecond.push(admitted);
            }
            const [first = 0, ...later] = bySecond;
            const mean = later.reduce((sum, one) => sum + one, 0) / later.length;
            // The burst of two seconds, and requests accepted before the pods have synced.
            expect(first).toBeLessThanOrEqual(30 + 4 * 5);
            expect(mean).toBeGreaterThan(9);
            expect(mean).toBeLessThan(11);
            expect(Math.max(...later.slice(5))).toBeLessThanOrEqual(20);
            expect(Math.min(...later.slice(5))).toBeGreaterThanOrEqual(4);
        },
    );

    test("are counted per pod while Redis is unavailable", () => {
        const one = pod({ requestsPerSecond: 10, burst: 3 });
        expect([1, 2, 3, 4].map(() => one.enters())).toEqual([true, true, true, false]);
    });
});

describe("Usage of tenants", () => {
    const MONTH = "embedding:usage:t:2026-11";

    test("is counted once, even if Redis executes commands without a response", async () => {
        const redis = fakeRedis();
        const one = pod({ tokensPerMonth: 20_000 }, redis.store);
        await one.send(40, 10);
        await jest.advanceTimersByTimeAsync(2_000);
        expect(redis.sum(MONTH, "tokens")).toBe(10);
        redis.isMute = true;
        for (let at = 0; at < 40; at += 1) {
            await one.send(40, 10);
            await jest.advanceTimersByTimeAsync(1_000);
            expect(redis.sum(MONTH, "tokens")).toBeLessThanOrEqual(10 + 10 * (at + 1) + 10);
        }
        redis.isMute = false;
        await jest.advanceTimersByTimeAsync(2_000);
        expect(redis.sum(MONTH, "tokens")).toBe(410);
    });

    test("causes no Redis commands once the tenant is idle", async () => {
        const redis = fakeRedis();
        const one = pod({ requestsPerSecond: 100, tokensPerMinute: 100 }, redis.store);
        one.enters();
        await one.send(4, 1);
        await jest.advanceTimersByTimeAsync(3_000);
        const before = redis.exchanges;
        expect(before).toBeGreaterThan(0);
        await jest.advanceTimersByTimeAsync(60_000);
        expect(redis.exchanges).toBe(before);
    });

    test("is restored to a Redis that has lost it", async () => {
        const [redis, emptied] = [fakeRedis(), fakeRedis()];
        let current = redis;
        const one = pod(
            { tokensPerMonth: 100 },
            { addAndRead: (...args) => current.store.addAndRead(...args) },
        );
        await one.send(40, 10);
        await one.sync();
        current = emptied;
        await one.send(40, 10);
        await jest.advanceTimersByTimeAsync(3_000);
        expect(emptied.sum(MONTH, "tokens")).toBe(20);
    });
});

describe("Tokens", () => {
    test("of calls in flight are reserved: those beyond the limit are rejected", async () => {
        const one = pod({ tokensPerMinute: 1_000, tokensPerMonth: 1_000 });
        const reserved = await Promise.allSettled(
            Array.from({ length: 40 }, () => one.reserve(590)),
        );
        expect(reserved.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    });

    test("are reserved by what a tenant's texts were billed before", async () => {
        const one = pod({ tokensPerMinute: 1_000 });
        expect(await one.send(400, 100)).toBe(true);
        const all = await Promise.allSettled(Array.from({ length: 20 }, () => one.reserve(400)));
        // 100 are used, and each of these is estimated at 100.
        expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(9);
        const [rejection] = all.filter(({ status }) => status === "rejected");
        expect(rejection).toMatchObject({
            reason: {
                type: "tokens",
                code: "rate_limit_exceeded",
                retryAfterSeconds: 60,
                message:
                    "This request needs about 100 tokens; left of your 1000 tokens a minute: 0",
            },
        });
    });

    test("of the first call are unknown: it is sent alone if a third of its bytes fits", async () => {
        const one = pod({ tokensPerMinute: 1_000 });
        await expect(one.reserve(3_001)).rejects.toThrow(
            "about 1001 tokens; left of your 1000 tokens a minute: 1000",
        );
        const first = await one.reserve(3_000);
        await expect(one.reserve(3_000)).rejects.toThrow("about 3000 tokens");
        first?.charge([{ kind: "text", text: "x".repeat(3_000) }], 675);
        first?.end();
        expect(await one.send(1_000, 225)).toBe(true);
        await expect(one.reserve(600)).rejects.toThrow("about 135 tokens");
    });

    test("learned from other texts do not reject the only call, which would never be corrected", async () => {
        const one = pod({ tokensPerMinute: 1_000 });
        expect(await one.send(100, 100)).toBe(true);
        // 2,000 tokens by what was learned, and 500 by a usual text.
        expect(await one.send(2_000, 500)).toBe(true);
    });

    test("that can never fit have no retry-after", async () => {
        const one = pod({ tokensPerMinute: 100 });
        await one.send(40, 10);
        await expect(one.reserve(8_000)).rejects.toMatchObject({
            retryAfterSeconds: undefined,
        });
    });

    test("of a failed call are released", async () => {
        const one = pod({ tokensPerMinute: 100 });
        for (let at = 0; at < 10; at += 1) (await one.reserve(90))?.end();
        expect(await one.send(90, 20)).toBe(true);
    });

    test("limits apply across pods that send at the same time", async () => {
        const redis = fakeRedis();
        redis.latencyMilliseconds = 2;
        const pods = Array.from({ length: 4 }, () => pod({ tokensPerMonth: 1_000 }, redis.store));
        const all = Promise.allSettled(
            Array.from({ length: 10 }, () => pods.map((one) => one.reserve(300))).flat(),
        );
        await jest.advanceTimersByTimeAsync(50);
        const admitted = (await all).filter(({ status }) => status === "fulfilled").length;
        expect(admitted).toBeLessThanOrEqual(3);
    });
});

test("A request that a limit rejects releases its leases: another tenant may fetch the same", async () => {
    const released: string[] = [];
    const resolving = createResolver({
        local: createLocalCache({ maxEntries: 9, maxBytes: 9_999, staleSeconds: 0 }),
        shared: { ...noSharedCache, releaseLeases: (keys) => void released.push(...keys) },
        singleFlight: createSingleFlight(),
        upstream: { dimensions: () => undefined },
        origin: { embed: () => Promise.reject(new LimitError("tokens", "no more")) },
    });
    const items = [{ key: "k", input: { kind: "text", text: "a" } as const }];
    const response = resolving.resolve(items, createContext());
    await expect(response).rejects.toBeInstanceOf(LimitError);
    expect(released).toEqual(["k"]);
});
