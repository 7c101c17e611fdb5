import { describe, expect, test } from "@jest/globals";
import { GHOST_GROUPS } from "@property-search/contract";
import { seededRandom } from "../../bench/shared/random.ts";
import { estimateByGroups, interpolate, toShare } from "../src/analysis/estimate.ts";

const share = ([part = NaN, all = NaN]: readonly number[]) => part / all;

describe("an interval by groups", () => {
    test("contains the true share 95 times of 100, although requests for one key are not independent", () => {
        const random = seededRandom(1);
        const [truth, keys, rounds] = [0.3, 400, 1_000];
        let covered = 0;
        for (let round = 0; round < rounds; round += 1) {
            const groups = Array.from({ length: GHOST_GROUPS }, () => [0, 0]);
            for (let key = 0; key < keys; key += 1) {
                const group = groups[Math.floor(random() * GHOST_GROUPS)] ?? [];
                // One to nine requests with the same outcome.
                const requests = 1 + Math.floor(random() * 9);
                group[1] = (group[1] ?? 0) + requests;
                if (random() < truth) group[0] = (group[0] ?? 0) + requests;
            }
            const found = estimateByGroups(groups, share);
            if (found && found.low <= truth && truth <= found.high) covered += 1;
        }
        // 95 % less four standard deviations.
        expect(covered / rounds).toBeGreaterThan(0.92);
        expect(covered / rounds).toBeLessThan(0.98);
    });

    test("is undefined where the statistic is, also without one of the groups", () => {
        expect(estimateByGroups([], share)).toBeUndefined();
        expect(
            estimateByGroups(
                [
                    [0, 0],
                    [0, 0],
                ],
                share,
            ),
        ).toBeUndefined();
        expect(
            estimateByGroups(
                [
                    [1, 2],
                    [0, 0],
                ],
                share,
            ),
        ).toBeUndefined();
    });

    test("of a share is never narrower than what a sample of its size may miss", () => {
        const none = { value: 0, low: 0, high: 0 };
        expect(toShare(none, 300)).toEqual({ value: 0, low: 0, high: 0.01 });
        expect(toShare({ value: 1, low: 1, high: 1 }, 30)).toEqual({ value: 1, low: 0.9, high: 1 });
        expect(toShare(none, 0)).toEqual({ value: 0, low: 0, high: 1 });
    });
});

test("interpolation is exact at its points, logarithmic between them, and undefined beyond them", () => {
    const points = [
        [1, 0],
        [100, 2],
        [1_000, 5],
    ] as const;
    expect(points.map(([x]) => interpolate(points, x))).toEqual([0, 2, 5]);
    expect(interpolate(points, 10)).toBeCloseTo(1, 12);
    expect(interpolate(points, 0.5)).toBeUndefined();
    expect(interpolate(points, 1_001)).toBeUndefined();
});
