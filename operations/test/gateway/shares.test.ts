import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { checkShares } from "../../gateway/shares.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

describe("sharesWithin", () => {
    test("accepts shares within 4 σ of the weights and no others", () => {
        const percent = fc.integer({ min: 1, max: 99 });
        const count = fc.integer({ min: 500, max: 5000 });
        fc.assert(
            fc.property(
                percent,
                count,
                fc.double({ min: 0, max: 1, noNaN: true }),
                (green, n, at) => {
                    const candidateCount = Math.round(at * n);
                    const p = green / 100;
                    const deviations =
                        Math.abs(candidateCount - n * p) / Math.sqrt(n * p * (1 - p));
                    const { matches } = checkShares(
                        { blue: n - candidateCount, green: candidateCount },
                        { blue: 100 - green, green },
                    );
                    expect(matches).toBe(deviations <= 4);
                },
            ),
            propertyRuns(),
        );
    });

    test("accepts no request to a colour with weight 0", () => {
        const weights = { blue: 100, green: 0 };
        expect(checkShares({ blue: 500, green: 0 }, weights).matches).toBe(true);
        expect(checkShares({ blue: 499, green: 1 }, weights).matches).toBe(false);
    });

    test("never accepts zero requests", () => {
        expect(checkShares({ blue: 0, green: 0 }, { blue: 90, green: 10 }).matches).toBe(false);
    });
});
