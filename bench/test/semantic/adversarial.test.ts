import { expect, test } from "@jest/globals";

import { checkPairs, isVetoed, PAIRS, PARAPHRASES } from "../../semantic/adversarial.ts";

/** A text that repeats another one and adds a second question contradicts nothing in it. */
const LEFT_TO_THE_GATE = 1;

test.each(checkPairs().map((result) => [result.kind, result] as const))(
    "vetoes separate the pairs of the kind %s",
    (kind, { passed }) => {
        expect(passed).toHaveLength(kind === "crafted" ? LEFT_TO_THE_GATE : 0);
    },
);

test("vetoes separate none of the pairs that mean the same", () => {
    expect(PARAPHRASES.length).toBeGreaterThanOrEqual(60);
    expect(PARAPHRASES.filter(isVetoed)).toEqual([]);
});

test("the pairs differ, there are at least 60, and each kind has at least five", () => {
    expect(Object.values(PAIRS).flat().length).toBeGreaterThanOrEqual(60);
    for (const pairs of Object.values(PAIRS)) {
        expect(pairs.length).toBeGreaterThanOrEqual(5);
        for (const [a, b] of pairs) expect(a).not.toBe(b);
    }
});
