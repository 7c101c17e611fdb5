import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { formatFloats } from "../../src/vector/json.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

function parsed(vector: Float32Array): number[] {
    return JSON.parse(formatFloats(vector).toString("latin1")) as number[];
}

/** Every bit pattern that is a number, including the smallest and the largest. */
const anyFloat = fc
    .integer({ min: 0, max: 0xffff_ffff })
    .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN)
    .filter(Number.isFinite);
/** The numbers of unit vectors. */
const component = fc.float({ min: -1, max: 1, noNaN: true });

describe("a vector's JSON", () => {
    test("is bit-identical to the float32", () => {
        fc.assert(
            fc.property(fc.array(fc.oneof(anyFloat, component), { maxLength: 64 }), (values) => {
                const vector = Float32Array.from(values);
                expect(Float32Array.from(parsed(vector))).toStrictEqual(vector);
            }),
            propertyRuns(20_000),
        );
    });

    test("of a value near each power of ten is bit-identical", () => {
        const near = Array.from({ length: 84 }, (_, power) => 10 ** (power - 45)).flatMap((value) =>
            [-1, 0, 1].map((step) => neighbour(Math.fround(value), step)),
        );
        const vector = Float32Array.from([...near, ...near.map((value) => -value)]);
        expect(Float32Array.from(parsed(vector))).toStrictEqual(vector);
    });

    test("has at most nine digits", () => {
        fc.assert(
            fc.property(component, (value) => {
                const text = formatFloats(Float32Array.of(value)).toString("latin1");
                const [, whole, places] = /^\[-?(\d+)\.?(\d*)(?:e-?\d+)?\]$/.exec(text) ?? [];
                const digits = `${whole}${places}`.replace(/^0+/, "");
                expect(digits.length).toBeLessThanOrEqual(9);
            }),
            propertyRuns(20_000),
        );
    });

    test("is in decimal notation", () => {
        const vector = Float32Array.of(0.1, -0.25, 0, -0, 1, 0.0123, 1e-7, 123456);
        expect(formatFloats(vector).toString("latin1")).toBe(
            "[0.1,-0.25,0,-0,1,0.0123,1e-7,123456]",
        );
        expect(formatFloats(new Float32Array()).toString("latin1")).toBe("[]");
    });
});

function neighbour(value: number, step: number): number {
    const bits = new Uint32Array(Float32Array.of(value).buffer);
    bits[0] = (bits[0] ?? 0) + step;
    const found = new Float32Array(bits.buffer)[0] ?? 0;
    return Number.isFinite(found) ? found : value;
}
