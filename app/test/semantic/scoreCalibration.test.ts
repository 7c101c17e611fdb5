import { describe, expect, test } from "@jest/globals";

import { createCalibration, upperTail } from "../../src/semantic/scoreCalibration.ts";

const SCORES = [3, 2, 1, 0];
const NONE = SCORES.map(() => ({ labelled: 0, wrong: 0 }));
const calibrate = createCalibration(SCORES);

/** @returns the mean error of each score over all curves */
function errorsAfter(labels: typeof NONE): readonly number[] {
    const curves = calibrate(labels);
    return SCORES.map((_, at) =>
        curves.reduce((sum, { weight, errors }) => sum + weight * (errors[at] ?? 0), 0),
    );
}

test("the upper tail of the normal distribution has its known values", () => {
    for (const [value, tail] of [
        [0, 0.5],
        [1, 0.158655],
        [2, 0.02275],
        [3, 0.00135],
        [-1.959964, 0.975],
    ] as const)
        expect(upperTail(value)).toBeCloseTo(tail, 6);
});

test("the weights of the curves add up to 1", () => {
    const sum = calibrate(NONE).reduce((total, { weight }) => total + weight, 0);
    expect(sum).toBeCloseTo(1);
});

describe("the error of a score", () => {
    test("is near that of a normal distribution without labels", () => {
        errorsAfter(NONE).forEach((error, at) => {
            const expected = upperTail(SCORES[at] ?? NaN);
            expect(error).toBeGreaterThan(expected);
            expect(error).toBeLessThan(expected + 0.03);
        });
    });

    test("falls with right labels of other scores, and rises with wrong ones", () => {
        const before = errorsAfter(NONE)[1] ?? NaN;
        const only = (wrong: number) =>
            NONE.map((none, at) => (at === 2 ? { labelled: 200, wrong } : none));
        expect(errorsAfter(only(4))[1]).toBeLessThan(before / 2);
        expect(errorsAfter(only(60))[1]).toBeGreaterThan(before);
    });

    test("is that of the labels if there are many", () => {
        const truth = SCORES.map((score) => 0.002 + 0.998 * upperTail(0.2 + 1.15 * score));
        const labels = truth.map((error) => ({
            labelled: 5_000,
            wrong: Math.round(5_000 * error),
        }));
        errorsAfter(labels).forEach((error, at) => {
            expect(Math.abs(error - (truth[at] ?? NaN))).toBeLessThan(0.005);
        });
    });

    test("is never zero", () => {
        const labels = SCORES.map(() => ({ labelled: 10_000, wrong: 0 }));
        for (const error of errorsAfter(labels)) expect(error).toBeGreaterThanOrEqual(0.002);
    });
});
