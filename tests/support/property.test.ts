import { afterEach, expect, test } from "@jest/globals";
import { propertyRuns } from "./property.ts";

const { PROPERTY_SCALE, PROPERTY_SEED } = process.env;

afterEach(() => {
    Object.assign(process.env, {
        PROPERTY_SCALE: PROPERTY_SCALE ?? "",
        PROPERTY_SEED: PROPERTY_SEED ?? "",
    });
});

test("one variable scales all property tests, and one sets their seed", () => {
    process.env.PROPERTY_SEED = "7";
    process.env.PROPERTY_SCALE = "";
    expect(propertyRuns(2000)).toEqual({ numRuns: 200, seed: 7 });
    process.env.PROPERTY_SCALE = "1";
    expect(propertyRuns(2000)).toEqual({ numRuns: 2000, seed: 7 });
    process.env.PROPERTY_SCALE = "0.001";
    expect(propertyRuns(2000)).toEqual({ numRuns: 20, seed: 7 });
});

test.each(["0", "-1", "many", "Infinity"])("PROPERTY_SCALE=%s is rejected by its name", (scale) => {
    process.env.PROPERTY_SCALE = scale;
    expect(() => propertyRuns()).toThrow(`PROPERTY_SCALE is "${scale}"; allowed: 0.001 to 1000`);
});
