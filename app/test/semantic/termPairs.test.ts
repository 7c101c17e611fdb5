import { describe, expect, test } from "@jest/globals";

import { createTermPairs, findDifference, MIN_CONTEXTS } from "../../src/semantic/termPairs.ts";

describe("the difference of two texts", () => {
    test.each<[string, string, readonly string[] | undefined]>([
        ["cheap flat near a park", "cheap apartment near a park", ["apartment", "flat"]],
        ["a flat with sea view", "a flat with ocean view", ["ocean", "sea"]],
        ["Flat with a garden", "apartment with a garden", ["apartment", "flat"]],
        ["a flat to rent", "a pied à terre to rent", undefined],
        ["a semi detached house", "a terraced house", ["semi detached", "terraced"]],
        ["two rooms", "three rooms", ["three", "two"]],
        ["cheap flat near a park", "apartment near the cheap park", undefined],
        ["the same text", "the same text", undefined],
        ["flat", "apartment", undefined],
        ["2 rooms", "3 rooms", undefined],
        ["house of Miller in Kent", "house of Baker in Kent", undefined],
        ["house near a park", "houses near a park", undefined],
        ["a garden flat", "a flat", undefined],
        ["call me at ann@example.com now", "call me at bob@example.com now", undefined],
    ])("%j and %j", (text, other, terms) => {
        expect(findDifference(text, other)?.terms).toEqual(terms);
        expect(findDifference(other, text)?.terms).toEqual(terms);
    });
});

describe("term pairs", () => {
    const place = (at: number) => `near the ${String.fromCharCode(97 + at).repeat(5)} station`;
    const recordIn = (pairs: ReturnType<typeof createTermPairs>, at: number, isRight: boolean) => {
        pairs.record(`flat ${place(at)}`, `apartment ${place(at)}`, isRight);
    };

    test("are published from enough distinct contexts on, which one text cannot make up", () => {
        const pairs = createTermPairs();
        for (let time = 0; time < 100; time += 1) recordIn(pairs, 0, true);
        for (let at = 1; at < MIN_CONTEXTS - 1; at += 1) recordIn(pairs, at, true);
        expect(pairs.published()).toEqual([]);
        recordIn(pairs, MIN_CONTEXTS - 1, false);
        expect(pairs.published()).toEqual([
            { terms: ["apartment", "flat"], right: MIN_CONTEXTS - 1, wrong: 1 },
        ]);
    });

    test("have a bounded number, and the ones that are not seen any more go first", () => {
        const pairs = createTermPairs();
        const word = (at: number) =>
            Array.from({ length: 4 }, (_, digit) =>
                String.fromCharCode(97 + (Math.floor(at / 10 ** digit) % 10)),
            ).join("") + "x";
        for (let at = 0; at < MIN_CONTEXTS; at += 1) recordIn(pairs, at, true);
        for (let at = 0; at < 1_999; at += 1)
            pairs.record(`house ${word(at)} here`, `house different here`, true);
        expect(pairs.published()).toHaveLength(1);
        pairs.record("house another here", "house different here", true);
        expect(pairs.published()).toHaveLength(0);
    });
});
