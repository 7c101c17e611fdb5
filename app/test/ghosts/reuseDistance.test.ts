import { hash } from "node:crypto";

import { expect, test } from "@jest/globals";
import { GHOST_GROUPS } from "@property-search/contract";
import fc from "fast-check";

import { seededRandom } from "../../../bench/shared/random.ts";
import { estimateByGroups } from "../../../insights/src/analysis/estimate.ts";
import { propertyRuns } from "../../../tests/support/property.ts";
import { createReuseDistances } from "../../src/ghosts/reuseDistance.ts";
import { groupOf, isSampled, KEYS_PER_SAMPLE } from "../../src/ghosts/sample.ts";

/** Distinct keys since the last request, of a list that is searched. */
function exactDistances(maxKeys: number): (key: string) => number {
    const latestFirst: string[] = [];
    return (key) => {
        const at = latestFirst.indexOf(key);
        if (at >= 0) latestFirst.splice(at, 1);
        latestFirst.unshift(key);
        latestFirst.length = Math.min(latestFirst.length, maxKeys);
        return at < 0 ? Infinity : at;
    };
}

test("distances are those of a searched list, for any requests and any bound", () => {
    fc.assert(
        fc.property(
            fc.integer({ min: 1, max: 12 }),
            fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 300 }),
            (maxKeys, requests) => {
                const distances = createReuseDistances(maxKeys);
                const exact = exactDistances(maxKeys);
                for (const request of requests) {
                    const key = String(request);
                    expect(distances.record(key)).toBe(exact(key));
                    expect(distances.size()).toBeLessThanOrEqual(maxKeys);
                }
            },
        ),
        propertyRuns(200),
    );
});

/** Sizes of a cache that replaces the least recently used entry. */
const SIZES = [500, 1_000, 2_000, 4_000, 8_000];
const REQUESTS = 100_000;
const KEYS = 20_000;

/** Requests with Zipf frequencies, as those of search queries. */
function* zipfTrace(skew: number, seed: number): Generator<string, void> {
    const random = seededRandom(seed);
    const keys = Array.from({ length: KEYS }, (_, rank) =>
        hash("sha256", `${seed} ${rank}`, "base64url"),
    );
    const cumulative = new Float64Array(KEYS);
    let total = 0;
    for (let rank = 0; rank < KEYS; rank += 1) {
        total += (rank + 1) ** -skew;
        cumulative[rank] = total;
    }
    for (let request = 0; request < REQUESTS; request += 1) {
        const at = random() * total;
        let [low, high] = [0, KEYS - 1];
        while (low < high) {
            const middle = (low + high) >> 1;
            if ((cumulative[middle] ?? 0) < at) low = middle + 1;
            else high = middle;
        }
        yield keys[low] ?? "";
    }
}

/** Hit rates by size: exact ones, and estimates from the sample as insights/src/analysis/ghosts.ts computes them. */
function compare(trace: Iterable<string>) {
    const all = createReuseDistances(KEYS);
    const sampled = createReuseDistances(KEYS);
    const hits = SIZES.map(() => 0);
    const groups = Array.from({ length: GHOST_GROUPS }, () => [1, 0, ...SIZES.map(() => 0)]);
    for (const key of trace) {
        const entries = 1 + all.record(key);
        SIZES.forEach((size, at) => {
            if (entries <= size) hits[at] = (hits[at] ?? 0) + 1;
        });
        if (!isSampled(key)) continue;
        const counts = groups[groupOf(key)] ?? [];
        const estimated = 1 + sampled.record(key) * KEYS_PER_SAMPLE;
        const add = (place: number) => (counts[place] = (counts[place] ?? 0) + KEYS_PER_SAMPLE);
        add(1);
        SIZES.forEach((size, at) => {
            if (estimated <= size) add(at + 2);
        });
    }
    return SIZES.map((_, at) => {
        const estimate = estimateByGroups(groups, (sums) => {
            const [included = NaN, requests = NaN] = sums;
            const expected = (REQUESTS * included) / GHOST_GROUPS;
            // The sample's few hottest keys have more or fewer requests than its share ("SHARDS-adj" in the paper).
            return ((sums[at + 2] ?? NaN) + expected - requests) / expected;
        });
        if (!estimate) throw new Error("There is no estimate");
        const exact = (hits[at] ?? NaN) / REQUESTS;
        return {
            error: Math.abs(estimate.value - exact),
            isCovered: estimate.low <= exact && exact <= estimate.high,
        };
    });
}

/** Stated in docs/service/ghosts.md. */
const MAX_ERROR = 0.06;
const MAX_MEAN_ERROR = 0.02;
const MIN_COVERAGE = 0.9;

test("hit rates by size, of Zipf requests, are within the stated error, and in their intervals", () => {
    const found = [0.6, 0.8, 1].flatMap((skew) =>
        [1, 2, 3, 4].flatMap((seed) => compare(zipfTrace(skew, seed))),
    );
    const mean = (values: readonly number[]) =>
        values.reduce((all, one) => all + one, 0) / values.length;
    expect(Math.max(...found.map(({ error }) => error))).toBeLessThan(MAX_ERROR);
    expect(mean(found.map(({ error }) => error))).toBeLessThan(MAX_MEAN_ERROR);
    expect(mean(found.map(({ isCovered }) => (isCovered ? 1 : 0)))).toBeGreaterThan(MIN_COVERAGE);
});

test("its memory is bounded by the number of keys, not by the number of requests", () => {
    const distances = createReuseDistances(1_000);
    for (let request = 0; request < 100_000; request += 1) distances.record(String(request));
    expect(distances.size()).toBe(1_000);
    // All of them are still in order.
    for (let age = 0; age < 1_000; age += 1)
        expect(distances.record(String(99_999 - age))).toBe(age);
});
