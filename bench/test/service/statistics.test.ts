import { describe, expect, test } from "@jest/globals";

import { median, pairedRatio, spread } from "../../service/report/statistics.ts";

describe("statistics of repeated runs", () => {
    test("the median is the middle run, or the mean of the two in the middle", () => {
        expect(median([3, 100, 1])).toBe(3);
        expect(median([4, 1, 2, 100])).toBe(3);
        expect(median([])).toBeNaN();
    });

    test("the spread is relative to the median", () => {
        expect(spread([90, 100, 120])).toBeCloseTo(0.3);
    });

    test("a machine that slows down between turns does not change a ratio", () => {
        expect(pairedRatio([70, 35, 7], [100, 50, 10])).toBeCloseTo(0.7);
    });

    test("an unfinished turn is ignored", () => {
        expect(pairedRatio([70, 70], [100])).toBeCloseTo(0.7);
    });
});
