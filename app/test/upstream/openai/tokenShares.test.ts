import { describe, expect, test } from "@jest/globals";
import { distributeTokens } from "../../../src/upstream/openai/tokenShares.ts";

describe("the parts of a bill", () => {
    test("are integers and sum to it exactly", () => {
        expect(distributeTokens(10, [1, 1, 1])).toEqual([4, 3, 3]);
        expect(distributeTokens(0, [5, 5])).toEqual([0, 0]);
        const parts = distributeTokens(1_000_003, [3, 17, 1, 999, 45]);
        expect(parts.reduce((a, b) => a + b, 0)).toBe(1_000_003);
        expect(parts.every(Number.isInteger)).toBe(true);
    });
});
