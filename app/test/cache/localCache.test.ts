import { hash } from "node:crypto";

import { describe, expect, test } from "@jest/globals";
import { LRUCache } from "lru-cache";

import { seededRandom } from "../../../bench/shared/random.ts";
import { createLocalCache, type ResizableCache } from "../../src/cache/localCache.ts";
import type { LocalCache } from "../../src/cache/tiers.ts";
import { createEmbedding } from "../../src/vector/embedding.ts";

const ENTRIES = 500;
const VECTOR = Float32Array.of(1);
/** Rank frequencies of search queries: Breslau et al., "Web Caching and Zipf-like Distributions". */
const SKEW = 0.8;

describe("the local cache", () => {
    test("a bulk job does not evict what is requested again and again", () => {
        const cache = open();
        const hot = keys("hot");
        for (let at = 0; at < 20 * ENTRIES; at += 1) {
            lookUp(cache, hot[at % ENTRIES] ?? "");
            if (at > 5 * ENTRIES) lookUp(cache, keyOf(`bulk ${at}`));
        }

        const cachedKeys = hot.filter((key) => cache.get(key) !== undefined);

        expect(cachedKeys.length).toBeGreaterThan(0.95 * ENTRIES);
    });

    test("new popular entries replace old ones", () => {
        const cache = open();
        for (let round = 0; round < 20; round += 1)
            for (const key of keys("old")) lookUp(cache, key);
        let hits = 0;
        for (let round = 0; round < 40; round += 1) {
            hits = keys("new").filter((key) => lookUp(cache, key)).length;
        }

        expect(hits).toBeGreaterThan(0.9 * ENTRIES);
    });

    test("an expired entry is replaced by any other", () => {
        const cache = open();
        const expired = { createdAt: 0, freshUntil: 1, computeMilliseconds: 0 };
        for (const key of keys("old")) {
            for (let count = 0; count < 5; count += 1) cache.recordRequest(key);
            cache.set(key, createEmbedding(VECTOR, 1, false, expired));
        }

        expect(lookUp(cache, keyOf("new"))).toBe(false);
        expect(lookUp(cache, keyOf("new"))).toBe(true);
    });

    test("an entry of the cache is always replaced by its newer version", () => {
        const cache = open();
        for (const key of keys("old")) lookUp(cache, key);
        const newer = createEmbedding(Float32Array.of(2), 1, false);
        const [key = ""] = keys("old");
        cache.set(key, newer);

        expect(cache.get(key)).toBe(newer);
    });

    test("it has more hits than eviction by last use alone", () => {
        const random = seededRandom(42);
        const requests = Array.from({ length: 60_000 }, () =>
            keyOf(`text ${Math.floor(zipf(random(), 20 * ENTRIES))}`),
        );
        const cache = open();
        const plain = new LRUCache<string, true>({ max: ENTRIES });

        const hits = requests.filter((key) => lookUp(cache, key)).length;
        const hitsOfPlain = requests.filter(
            (key) => plain.get(key) ?? (plain.set(key, true), false),
        );

        expect(hits).toBeGreaterThan(1.2 * hitsOfPlain.length);
    });
});

describe("a resized local cache", () => {
    test("removes what was requested least recently, a few entries in each turn of the event loop", async () => {
        const large = 20_000;
        const cache = createLocalCache({ maxEntries: large, maxBytes: 1e9, staleSeconds: 60 });
        for (let at = 0; at < large; at += 1) lookUp(cache, keyOf(`text ${at}`));
        cache.resize(ENTRIES);
        let turns = 0;
        let most = large - cache.size().entries;
        while (cache.size().entries > ENTRIES) {
            const before = cache.size().entries;
            await new Promise(setImmediate);
            most = Math.max(most, before - cache.size().entries);
            // A new entry replaces another one: the cache does not grow meanwhile.
            const { entries } = cache.size();
            const key = keyOf(`new ${turns}`);
            for (let count = 0; count < 5; count += 1) cache.recordRequest(key);
            cache.set(key, createEmbedding(VECTOR, 1, false));
            expect(cache.size().entries).toBeLessThanOrEqual(entries);
            turns += 1;
        }
        expect(most).toBeLessThanOrEqual(256);
        expect(cache.size().entries).toBe(ENTRIES);
        expect(cache.get(keyOf(`text ${large - 1}`))).toBeDefined();
        expect(cache.get(keyOf("text 0"))).toBeUndefined();
        await new Promise(setImmediate);
        expect(cache.size().entries).toBe(ENTRIES);
    });

    test("that grows keeps its entries and how often they were requested", () => {
        const cache = open();
        for (let round = 0; round < 5; round += 1)
            for (const key of keys("old")) lookUp(cache, key);
        cache.resize(4 * ENTRIES);
        for (let at = 0; at < 3 * ENTRIES; at += 1) lookUp(cache, keyOf(`more ${at}`));
        expect(cache.size().entries).toBe(4 * ENTRIES);
        for (let at = 0; at < 4 * ENTRIES; at += 1) lookUp(cache, keyOf(`bulk ${at}`));
        const kept = keys("old").filter((key) => cache.get(key) !== undefined);
        expect(kept.length).toBeGreaterThan(0.95 * ENTRIES);
    });
});

function open(): ResizableCache {
    return createLocalCache({ maxEntries: ENTRIES, maxBytes: 1e9, staleSeconds: 60 });
}

/** Like a request: a miss is fetched and offered to the cache. @returns whether it was a hit */
function lookUp(cache: LocalCache, key: string): boolean {
    cache.recordRequest(key);
    if (cache.get(key) !== undefined) return true;
    cache.set(key, createEmbedding(VECTOR, 1, false));
    return false;
}

function keys(name: string): string[] {
    return Array.from({ length: ENTRIES }, (_, at) => keyOf(`${name} ${at}`));
}

function keyOf(text: string): string {
    return hash("sha256", text, "base64url");
}

/** @returns the rank of a quantile, from the continuous distribution of the same exponent */
function zipf(quantile: number, ranks: number): number {
    return (1 + quantile * (ranks ** (1 - SKEW) - 1)) ** (1 / (1 - SKEW)) - 1;
}
