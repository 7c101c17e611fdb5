import { expect, test } from "@jest/globals";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import { findHighest } from "../../src/semantic/findHighest.ts";

test("the places of the highest scores are those of a sorted list", () => {
    fc.assert(
        fc.property(
            fc.float64Array({ noNaN: true, maxLength: 40 }),
            fc.nat(12),
            (scores, count) => {
                const sorted = [...scores.keys()].sort(
                    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b,
                );
                expect(findHighest(scores, count)).toEqual(sorted.slice(0, count));
            },
        ),
        propertyRuns(),
    );
});
