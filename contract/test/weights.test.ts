import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { checkWeights } from "../src/index.ts";
import { propertyRuns } from "../../tests/support/property.ts";

describe("checkWeights", () => {
    test("accepts every pair of whole numbers that sums to 100", () => {
        fc.assert(
            fc.property(fc.integer({ min: 0, max: 100 }), (blue) => {
                expect(checkWeights({ blue, green: 100 - blue })).toEqual({
                    weights: { blue, green: 100 - blue },
                });
            }),
            propertyRuns(),
        );
    });

    test("rejects every pair with another sum and names the sum", () => {
        const percent = fc.integer({ min: 0, max: 100 });
        fc.assert(
            fc.property(percent, percent, (blue, green) => {
                fc.pre(blue + green !== 100);
                expect(checkWeights({ blue, green })).toEqual({
                    errors: [expect.stringContaining(`sums to ${blue + green}`)],
                });
            }),
            propertyRuns(),
        );
    });

    test.each([
        ["a fraction", { blue: 33.3, green: 66.7 }, ["blue = 33.3", "green = 66.7"]],
        ["a negative", { blue: -1, green: 101 }, ["blue = -1", "green = 101"]],
        ["a string", { blue: "90", green: 10 }, ['blue = "90"']],
        ["a missing colour", { blue: 100 }, ["has no green"]],
        ["an unknown colour", { blue: 90, green: 10, red: 0 }, ['unknown key "red"']],
        ["no object", 90, ["is 90"]],
        ["a list", [90, 10], ["is [90,10]"]],
        ["nothing", null, ["is null"]],
    ])("rejects %s and says what is allowed", (_, value, expected) => {
        const result = checkWeights(value);
        const errors = "errors" in result ? result.errors : [];
        expect(errors).toEqual(expected.map((text) => expect.stringContaining(text)));
        expect(errors.every((finding) => finding.includes("allowed: whole numbers"))).toBe(true);
    });
});
