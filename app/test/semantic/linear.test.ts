import { expect, test } from "@jest/globals";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import {
    dot,
    dotDouble,
    factorise,
    norm,
    normalise,
    solveFactorised,
} from "../../src/semantic/linear.ts";

const MAX_SIZE = 9;
const numbers = fc.float({ min: -10, max: 10, noNaN: true });

test("a factorised matrix solves its own products", () => {
    fc.assert(
        fc.property(
            fc.integer({ min: 1, max: MAX_SIZE }),
            fc.array(numbers, { minLength: MAX_SIZE * (MAX_SIZE + 1), maxLength: 200 }),
            (size, values) => {
                const rows = Array.from({ length: size }, (_, row) =>
                    Float64Array.from(values.slice(row * size, (row + 1) * size)),
                );
                const matrix = new Float64Array(size * size);
                for (let row = 0; row < size; row += 1)
                    for (let column = 0; column < size; column += 1)
                        matrix[row * size + column] =
                            dotDouble(
                                rows[row] ?? new Float64Array(),
                                rows[column] ?? new Float64Array(),
                            ) + (row === column ? 1 : 0);
                const solution = Float64Array.from(values.slice(-size));
                const right = Float64Array.from({ length: size }, (_, row) =>
                    dotDouble(matrix, solution, size, row * size),
                );
                const factor = matrix.slice();
                factorise(factor, size);
                solveFactorised(factor, size, right);
                right.forEach((value, at) => {
                    expect(value).toBeCloseTo(solution[at] ?? NaN, 4);
                });
            },
        ),
        propertyRuns(),
    );
});

test("a matrix that is not positive definite has no factor", () => {
    expect(() => factorise(Float64Array.of(1, 0, 0, -1), 2)).toThrow("not positive definite");
});

test("a vector of zeros has no direction, any other is scaled to length 1", () => {
    expect(normalise(new Float64Array(3))).toBeUndefined();
    expect(norm(Float64Array.from(normalise(Float64Array.of(3, 4)) ?? []))).toBeCloseTo(1, 6);
});

test("both inner products agree with the sum of products, for any range", () => {
    fc.assert(
        fc.property(fc.array(numbers, { maxLength: 30 }), fc.nat(5), fc.nat(5), (values, a, b) => {
            const length = Math.max(0, values.length - Math.max(a, b));
            let expected = 0;
            for (let at = 0; at < length; at += 1)
                expected += (values[a + at] ?? 0) * (values[b + at] ?? 0);
            const [single, double] = [Float32Array.from(values), Float64Array.from(values)];
            expect(dot(single, single, length, a, b)).toBeCloseTo(expected, 6);
            expect(dotDouble(double, double, length, a, b)).toBeCloseTo(expected, 6);
        }),
        propertyRuns(),
    );
});
