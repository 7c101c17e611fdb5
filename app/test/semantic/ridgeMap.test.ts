import { expect, test } from "@jest/globals";

import { seededRandom } from "../../../bench/shared/random.ts";
import { dot, factorise, normalise, solveFactorised } from "../../src/semantic/linear.ts";
import { createRidgeMap } from "../../src/semantic/ridgeMap.ts";
import {
    createLanguage,
    SIGNATURE_DIMENSIONS,
    VECTOR_DIMENSIONS,
} from "../support/simulatedTexts.ts";

const options = { inputs: SIGNATURE_DIMENSIONS, outputs: VECTOR_DIMENSIONS, alpha: 1 };

test("the map is cold until its first fit", () => {
    const { createText } = createLanguage(seededRandom(1));
    const map = createRidgeMap({ ...options, firstFit: 5 });
    for (let pairs = 0; pairs < 5; pairs += 1) {
        const { signature, truth } = createText(pairs);
        expect(map.apply(signature)).toBeUndefined();
        expect(map.fittedOn()).toBe(0);
        map.add(signature, truth);
    }
    expect(map.fittedOn()).toBe(5);
    expect(map.apply(createText(0).signature)).toHaveLength(VECTOR_DIMENSIONS);
});

test("the map predicts vectors of texts it has not seen", () => {
    const { createText } = createLanguage(seededRandom(2));
    const map = createRidgeMap(options);
    for (let intent = 0; intent < 400; intent += 1) {
        const { signature, truth } = createText(intent);
        map.add(signature, truth);
    }
    const cosines = Array.from({ length: 100 }, (_, at) => {
        const { signature, truth } = createText(1_000 + at);
        const predicted = normalise(map.apply(signature) ?? new Float64Array());
        return predicted ? dot(predicted, truth) : 0;
    });
    expect(cosines.reduce((sum, cosine) => sum + cosine, 0) / 100).toBeGreaterThan(0.9);
});

test("a pair that was removed leaves no trace in the map", () => {
    const { createText } = createLanguage(seededRandom(4));
    const [map, without] = [createRidgeMap(options), createRidgeMap(options)];
    const { signature } = createText(999);
    const texts = Array.from({ length: 60 }, (_, intent) => createText(intent));
    for (const one of texts) {
        map.add(one.signature, one.truth);
        without.add(one.signature, one.truth);
        map.add(one.signature, one.truth.toReversed());
    }
    const before = map.apply(signature) ?? [];
    for (const one of texts) map.remove(one.signature, one.truth.toReversed());
    const [found, wanted] = [map.apply(signature) ?? [], without.apply(signature) ?? []];
    expect(map.fittedOn()).toBe(texts.length);
    expect(wanted).toHaveLength(VECTOR_DIMENSIONS);
    const distance = (a: ArrayLike<number>): number =>
        Math.hypot(...Array.from(wanted, (value, at) => value - (a[at] ?? NaN)));
    expect(distance(before)).toBeGreaterThan(0.01);
    expect(distance(found)).toBeLessThan(1e-9);
});

test("a map with too few pairs is cold again", () => {
    const { createText } = createLanguage(seededRandom(6));
    const map = createRidgeMap({ ...options, firstFit: 5 });
    const texts = Array.from({ length: 6 }, (_, intent) => createText(intent));
    for (const { signature, truth } of texts) map.add(signature, truth);
    for (const { signature, truth } of texts.slice(0, 2)) map.remove(signature, truth);
    expect(map.apply(createText(0).signature)).toBeUndefined();
    expect(map.fittedOn()).toBe(0);
});

test("after each pair the map is the ridge regression of all pairs, with an intercept", () => {
    const { createText } = createLanguage(seededRandom(3));
    const map = createRidgeMap({ ...options, firstFit: 1 });
    const pairs: ReturnType<typeof createText>[] = [];
    for (let pair = 0; pair < 300; pair += 1) {
        const text = createText(pair);
        map.add(text.signature, text.truth);
        pairs.push(text);
        if (![1, 20, 300].includes(pairs.length)) continue;
        const { signature } = createText(1_000 + pair);
        const expected = solveDirectly(pairs, [...signature, 1]);
        const predicted = map.apply(signature) ?? new Float64Array();
        expected.forEach((value, at) => {
            expect(predicted[at]).toBeCloseTo(value, 9);
        });
        // Of a difference of signatures, with the same share of the intercept.
        const half = map.apply(
            Float64Array.from(signature, (value) => value / 2),
            0.5,
        );
        expect(half?.[0]).toBeCloseTo((expected[0] ?? NaN) / 2, 9);
    }
});

/** Solves the normal equations with α = 1. */
function solveDirectly(
    pairs: readonly { readonly signature: Float32Array; readonly truth: Float32Array }[],
    input: readonly number[],
): readonly number[] {
    const size = SIGNATURE_DIMENSIONS + 1;
    const rows = pairs.map(({ signature }) => [...signature, 1]);
    const factor = new Float64Array(size * size);
    for (let row = 0; row < size; row += 1)
        for (let column = 0; column < size; column += 1)
            factor[row * size + column] =
                rows.reduce((sum, one) => sum + (one[row] ?? 0) * (one[column] ?? 0), 0) +
                (row === column ? 1 : 0);
    factorise(factor, size);
    return Array.from({ length: VECTOR_DIMENSIONS }, (_, output) => {
        const moments = Float64Array.from({ length: size }, (__, row) =>
            pairs.reduce((sum, { truth }, at) => {
                return sum + (rows[at]?.[row] ?? 0) * (truth[output] ?? 0);
            }, 0),
        );
        solveFactorised(factor, size, moments);
        return input.reduce((sum, value, at) => sum + value * (moments[at] ?? 0), 0);
    });
}
