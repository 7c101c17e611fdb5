import { describe, expect, test } from "@jest/globals";
import { parseBytes, parseCpu, parseQuantity } from "../src/index.ts";

describe("a quantity", () => {
    test.each([
        ...[["2", 2, "+2", "2.", "2000m", "2e0", "0.002k", "2E0", "2000000u", "2000000000n"]],
        ...[["0.7", 0.7, "700m", ".7", "7e-1", "700000u"]],
        ...[["2Gi", 2 ** 31, "2048Mi", "2147483648", "2147483648000m", "0.001953125Ti"]],
        ...[["0.1Gi", "107374182400m", "104857.6Ki"]],
        ...[["1E", 1e18, "1000P", "1e18", "1000000T"]],
        ...[["-1.5", -1.5, "-1500m"]],
    ])("is %s however it is written", (first, ...others) => {
        const value = parseQuantity(first);
        expect(value).toBeDefined();
        expect(others.map(parseQuantity)).toEqual(others.map(() => value));
    });

    test.each([
        "",
        " 1",
        "1 ",
        "1gi",
        "1GB",
        "1K",
        "1.1.1",
        ".",
        "1e",
        "Gi",
        "1mi",
        NaN,
        null,
        {},
        true,
    ])("is not %p", (value) => {
        expect(parseQuantity(value)).toBeUndefined();
    });

    test("of the config is written in fewer ways", () => {
        expect(["500m", "0.5", "2", "0.0005", "1e3", "1k"].map(parseCpu)).toEqual([
            ...[0.5, 0.5, 2],
            ...[undefined, undefined, undefined],
        ]);
        expect(["2Gi", "512Mi", "1G", "1.5Gi", "1024"].map(parseBytes)).toEqual([
            ...[2 ** 31, 2 ** 29],
            ...[undefined, undefined, undefined],
        ]);
    });
});
