import { describe, expect, jest, test } from "@jest/globals";
import { distributeTokens, weighInputs } from "../../../src/upstream/openai/tokenShares.ts";

describe("the parts of a bill", () => {
    test("are integers and sum to it exactly", () => {
        expect(distributeTokens(10, [1, 1, 1])).toEqual([4, 3, 3]);
        expect(distributeTokens(0, [5, 5])).toEqual([0, 0]);
        const parts = distributeTokens(1_000_003, [3, 17, 1, 999, 45]);
        expect(parts.reduce((a, b) => a + b, 0)).toBe(1_000_003);
        expect(parts.every(Number.isInteger)).toBe(true);
    });

    test("are known for lists of tokens without counting", async () => {
        const lists = [[1], [2, 3]].map((ids) => ({ kind: "tokens" as const, ids }));
        const count = (): Promise<never> => Promise.reject(new Error("It was started"));
        const counting = jest.fn(count);
        expect(await weighInputs(lists, counting)).toEqual([1, 2]);
        expect(counting).not.toHaveBeenCalled();
    });
});
