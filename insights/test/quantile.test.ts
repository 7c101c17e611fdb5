import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { propertyRuns } from "../../tests/support/property.ts";
import { quantileOf } from "../src/analysis/quantile.ts";

const BOUNDS = [0.001, 0.01, 0.1, 1] as const;

test("a quantile is in the bucket of its observation", () => {
    fc.assert(
        fc.property(
            fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 1, maxLength: 50 }),
            fc.double({ min: 0.01, max: 1, noNaN: true }),
            (observations, fraction) => {
                const sorted = observations.toSorted((a, b) => a - b);
                const buckets = [...BOUNDS, Infinity].map(
                    (bound) => [bound, sorted.filter((one) => one <= bound).length] as const,
                );
                const exact = sorted[Math.ceil(fraction * sorted.length) - 1] ?? NaN;
                const quantile = quantileOf(buckets, fraction) ?? NaN;
                const upper = BOUNDS.find((bound) => exact <= bound);
                const lower = BOUNDS.findLast((bound) => exact > bound) ?? 0;
                if (upper === undefined) expect(quantile).toBe(BOUNDS.at(-1));
                else {
                    expect(quantile).toBeGreaterThanOrEqual(lower);
                    expect(quantile).toBeLessThanOrEqual(upper);
                }
            },
        ),
        propertyRuns(),
    );
});

test("there is no quantile without observations", () => {
    expect(quantileOf([], 0.5)).toBeUndefined();
    expect(
        quantileOf(
            [
                [1, 0],
                [Infinity, 0],
            ],
            0.5,
        ),
    ).toBeUndefined();
});
