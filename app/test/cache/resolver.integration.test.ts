import { beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { pino } from "pino";

import { setUp } from "../../../tests/support/setUp.ts";
import { createSingleFlight } from "../../src/cache/singleFlight.ts";
import { createLocalCache } from "../../src/cache/localCache.ts";
import { createRedisCache } from "../../src/cache/redisCache.ts";
import { createRedisClient } from "../../src/redis/client.ts";
import type { Item, ResolvedItem } from "../../src/cache/item.ts";
import { createOrigin } from "../../src/cache/origin.ts";
import { createResolver, type Resolver } from "../../src/cache/resolver.ts";
import type { Input } from "../../src/input.ts";
import { UpstreamError } from "../../src/upstream/upstream.ts";
import { createEmbedding, type Embedding } from "../../src/vector/embedding.ts";
import { createEntryCodec, buildIdOf } from "../../src/vector/entry.ts";
import { batchedUpstream } from "../support/embedAll.ts";
import { eventually } from "../support/eventually.ts";
import { createContext } from "../support/requestContext.ts";
import { setUpRedis } from "../support/setUp.ts";
import { DIMENSIONS, trueTokens, trueVector } from "../support/vectors.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const log = pino({ level: "silent" });
const BAD = "bad";
const BATCHES_PER_RUN = 4;
const RUNS = propertyRuns(2_500);

const TTL_SECONDS = 600;
const STALE_SECONDS = 60;
const codec = createEntryCodec({ precision: "float32", buildId: buildIdOf(["test"]) });

const redis = setUpRedis();

const shared = setUp(
    () =>
        createRedisCache(createRedisClient(redis.config, log), {
            codec,
            staleSeconds: STALE_SECONDS,
            log,
        }),
    (one) => one.close(),
);

beforeAll(() => eventually("Redis is connected", () => shared.state() === "up"));

interface Pod {
    readonly resolver: Resolver;
    /** Tokens as the upstream counts them. */
    readonly upstreamLedger: () => number;
    /** Tokens as we count them. */
    readonly ledger: () => number;
}

/** Internals of a service with its own small cache; pods share the Redis. */
function pod(entries: number, ttlSeconds = TTL_SECONDS): Pod {
    let upstreamLedger = 0;
    let ledger = 0;
    async function embed(inputs: readonly Input[]): Promise<readonly Embedding[]> {
        await new Promise(setImmediate);
        const texts = inputs.map((input) => (input.kind === "text" ? input.text : ""));
        if (new Set(texts).size !== texts.length) throw new Error("A text went upstream twice");
        if (texts.some((text) => text.includes(BAD)))
            throw new UpstreamError(400, "bad", "refused");
        return texts.map((text) => {
            upstreamLedger += trueTokens(text);
            return createEmbedding(trueVector(text), trueTokens(text), false);
        });
    }
    const onBilled = (_: unknown, tokens: number): void => {
        ledger += tokens;
    };
    const local = createLocalCache({
        maxEntries: entries,
        maxBytes: 1e9,
        staleSeconds: STALE_SECONDS,
    });
    const upstream = { dimensions: () => DIMENSIONS };
    const origin = createOrigin({
        upstream: batchedUpstream(embed),
        codec,
        ttlSecondsOf: () => ttlSeconds,
        spaceOf: () => "5ace",
        onBilled,
    });
    return {
        resolver: createResolver({
            local,
            shared,
            singleFlight: createSingleFlight(),
            upstream,
            origin,
        }),
        upstreamLedger: () => upstreamLedger,
        ledger: () => ledger,
    };
}

const itemOf = (text: string): Item => ({ key: text, input: { kind: "text", text } });

function expectTrue(texts: readonly string[], resolved: readonly ResolvedItem[]): void {
    const wrong = texts.filter(
        (text, index) =>
            Buffer.compare(bytes(trueVector(text)), bytes(resolved[index]?.embedding.vector)) !== 0,
    );
    expect({ items: resolved.length, wrong }).toEqual({ items: texts.length, wrong: [] });
}

const bytes = (vector: Float32Array | undefined): Buffer =>
    Buffer.from(vector?.buffer ?? new ArrayBuffer(0));

describe("a batch of any mix", () => {
    test(`returns E(input[i]) at i, over ${String(RUNS.numRuns * BATCHES_PER_RUN)} batches`, async () => {
        const word = fc.oneof(
            { weight: 20, arbitrary: fc.nat({ max: 60 }).map((n) => `text number ${n}`) },
            { weight: 1, arbitrary: fc.nat({ max: 3 }).map((n) => `${BAD} ${n}`) },
        );
        const batch = fc.array(word, { minLength: 1, maxLength: 12 });
        const run = fc.array(fc.tuple(batch, fc.nat({ max: 1 })), {
            minLength: BATCHES_PER_RUN,
            maxLength: BATCHES_PER_RUN,
        });
        let round = 0;
        await fc.assert(
            fc.asyncProperty(run, async (batches) => {
                round += 1;
                // Two pods on one Redis: entries of this round only, in caches that evict.
                const pods = [pod(8), pod(8)] as const;
                let missed = 0;
                await Promise.all(
                    batches.map(async ([words, which]) => {
                        const texts = words.map((one) => `${one} in round ${round % 500}`);
                        const good = !texts.some((text) => text.includes(BAD));
                        try {
                            const { resolver } = pods[which === 0 ? 0 : 1];
                            const resolved = await resolver.resolve(
                                texts.map(itemOf),
                                createContext(),
                            );
                            expect(good).toBe(true);
                            expectTrue(texts, resolved);
                            missed += sum(resolved, "MISS");
                        } catch (error) {
                            if (good || !(error instanceof UpstreamError)) throw error;
                        }
                    }),
                );
                for (const { ledger, upstreamLedger } of pods)
                    expect(ledger()).toBe(upstreamLedger());
                // Only a request that fails for one item may have been billed for the others.
                const all = pods[0].ledger() + pods[1].ledger();
                const anyBad = batches.flat(2).some((one) => String(one).includes(BAD));
                if (anyBad) expect(missed).toBeLessThanOrEqual(all);
                else expect(missed).toBe(all);
            }),
            RUNS,
        );
    });
});

function sum(resolved: readonly ResolvedItem[], status: string): number {
    return resolved.reduce(
        (tokens, one) => tokens + (one.status === status ? one.embedding.tokens : 0),
        0,
    );
}

describe("the source of a vector", () => {
    test("is reported for an item: L1, L2, coalesced or miss", async () => {
        const [one, other] = [pod(100), pod(100)];
        const statuses = async (at: Pod, ...texts: string[]): Promise<string[]> =>
            (await at.resolver.resolve(texts.map(itemOf), createContext())).map(
                ({ status }) => status,
            );
        expect(await statuses(one, "where a", "where a", "where b")).toEqual([
            "MISS",
            "COALESCED",
            "MISS",
        ]);
        await eventually("the entries are in Redis", () =>
            redis.command("EXISTS", "embedding:where b").startsWith("1"),
        );
        expect(await statuses(other, "where b", "where c")).toEqual(["HIT-L2", "MISS"]);
        expect(await statuses(other, "where c", "where b")).toEqual(["HIT-L1", "HIT-L1"]);
        const both = await Promise.all([statuses(one, "where d"), statuses(one, "where d")]);
        expect(both.flat()).toEqual(["MISS", "COALESCED"]);
    });

    test("entries become stale within a tenth of CACHE_TTL before it, and are kept for STALE_IF_ERROR_SECONDS more", async () => {
        await pod(1).resolver.resolve([itemOf("expires")], createContext());
        await eventually("the entry is in Redis", () =>
            redis.command("EXISTS", "embedding:expires").startsWith("1"),
        );
        const milliseconds = Number(redis.command("PTTL", "embedding:expires"));
        expect(milliseconds).toBeGreaterThan(0.9 * 600_000 + 60_000 - 10_000);
        expect(milliseconds).toBeLessThanOrEqual(660_000);
    });

    test("a corrupt entry is a miss, and is replaced", async () => {
        redis.command("SET", "embedding:damaged", "not an entry");
        const [resolved] = await pod(1).resolver.resolve([itemOf("damaged")], createContext());
        expect(resolved?.status).toBe("MISS");
        await eventually("the entry is whole again", async () => {
            const [again] = await pod(1).resolver.resolve([itemOf("damaged")], createContext());
            return again?.status === "HIT-L2";
        });
    });

    test("the limit in bytes applies whatever the limit of entries allows", () => {
        const cache = createLocalCache({ maxEntries: 1_000, maxBytes: 50_000, staleSeconds: 0 });
        for (let n = 0; n < 1_000; n += 1)
            cache.set(String(n), createEmbedding(trueVector("x"), 1, false));
        expect(cache.size().bytes).toBeLessThanOrEqual(50_000);
        expect(cache.size().entries).toBeGreaterThan(10);
    });
});

describe("a full local cache", () => {
    test("replaces an entry by one that was requested more often, hits and misses alike", async () => {
        const texts = Array.from({ length: 10 }, (_, n) => `kept ${n}`);
        const { resolver } = pod(texts.length);
        const request = async (text: string): Promise<string | undefined> => {
            const items = [itemOf(text)];
            const resolved =
                resolver.local(items, createContext()) ??
                (await resolver.resolve(items, createContext()));
            return resolved[0]?.status;
        };
        for (const text of [...texts, ...texts]) await request(text);

        const statuses = [];
        for (let count = 0; count < 4; count += 1) statuses.push(await request("new"));

        expect(statuses).toEqual(["MISS", "HIT-L2", "HIT-L2", "HIT-L1"]);
    });
});

describe("a request that joined a fetch", () => {
    test("of a batch rejected for another's item is served anyway", async () => {
        const { resolver } = pod(10);
        const rejectedRequest = resolver.resolve(
            [itemOf("fine one"), itemOf(`${BAD} one`)],
            createContext(),
        );
        const follower = resolver.resolve([itemOf("fine one")], createContext());
        await expect(rejectedRequest).rejects.toThrow(UpstreamError);
        expectTrue(["fine one"], await follower);
    });
});
