import { describe, expect, test } from "@jest/globals";

import { seededRandom } from "../../shared/random.ts";
import { estimate, estimateRatio, quantileOf } from "../../semantic/statistics.ts";

const RUNS = 400;
const SEEDS = 20;

/** @returns the share of runs whose interval contains the truth */
function coverage(contains: (random: () => number) => boolean): number {
    const random = seededRandom(7);
    return Array.from({ length: RUNS }, () => contains(random)).filter(Boolean).length / RUNS;
}

describe("intervals", () => {
    test("of a mean contain it in about 95 % of runs", () => {
        const share = coverage((random) => {
            const { low, high } = estimate(Array.from({ length: SEEDS }, random));
            return low <= 0.5 && 0.5 <= high;
        });
        expect(share).toBeGreaterThan(0.91);
        expect(share).toBeLessThan(0.99);
    });

    test("of a ratio contain it in about 95 % of runs, also with unequal denominators", () => {
        const share = coverage((random) => {
            const below = Array.from({ length: SEEDS }, () => 50 + Math.floor(100 * random()));
            const above = below.map(
                (count) => Array.from({ length: count }, random).filter((one) => one < 0.3).length,
            );
            const { low, high } = estimateRatio(above, below);
            return low <= 0.3 && 0.3 <= high;
        });
        expect(share).toBeGreaterThan(0.9);
        expect(share).toBeLessThan(0.99);
    });
});

test("without a denominator there is no ratio", () => {
    expect(estimateRatio([0, 0], [0, 0]).mean).toBeNaN();
});

test("a quantile is one of the values", () => {
    expect(quantileOf([5, 1, 4, 2, 3], 0.5)).toBe(3);
    expect(quantileOf([5, 1, 4, 2, 3], 0.99)).toBe(5);
    expect(quantileOf([], 0.5)).toBeNaN();
});
