import { describe, expect, test } from "@jest/globals";

import { dot } from "../../src/semantic/linear.ts";
import {
    createRelevance,
    type Relevance,
    type SavedRelevance,
} from "../../src/semantic/relevance.ts";
import { seededRandom } from "../../../bench/shared/random.ts";
import { createLanguage, normal } from "../support/simulatedTexts.ts";

/** Adds noise of a given size. */
function disturb(vector: Float32Array, noise: number, random: () => number): Float32Array {
    const values = Array.from(vector, (value) => value + (noise * normal(random)) / 5);
    const length = Math.hypot(...values);
    return Float32Array.from(values, (value) => value / length);
}

/** Teaches answers whose losses a gate predicts with a deviation of 0.2. */
function teach(relevance: Relevance, texts: number, seed: number, weight = 1): void {
    const random = seededRandom(seed);
    const { createText } = createLanguage(random);
    for (let intent = 0; intent < texts; intent += 1) {
        const { truth } = createText(intent);
        const answer = disturb(truth, 0.6 * random(), random);
        const loss = Math.log(1 - dot(answer, truth)) + 0.2 * normal(random);
        relevance.learn(answer, truth, { loss, deviation: 0.2 }, weight);
        relevance.add(truth);
    }
}

describe("with the labels of 600 answers", () => {
    const relevance = createRelevance(0.8, seededRandom(4));
    teach(relevance, 600, 4);

    test("answers that would be served at the cosine find the same documents", () => {
        const lowest = relevance.lowestCosine() ?? NaN;
        expect(lowest).toBeGreaterThanOrEqual(0.9);
        expect(relevance.overlapAt(lowest)).toBeGreaterThanOrEqual(0.8);
    });

    test("those of a lower one find fewer", () => {
        expect(relevance.overlapAt(0.7)).toBeLessThan(relevance.overlapAt(0.97));
    });

    test("another process finds the same cosine by what was saved", () => {
        const other = createRelevance(0.8, seededRandom(4));
        other.restore(JSON.parse(JSON.stringify(relevance.save())) as SavedRelevance);
        expect(other.labels()).toBe(relevance.labels());
        const lowest = relevance.lowestCosine() ?? NaN;
        expect(other.lowestCosine()).toBe(lowest);
        expect(other.overlapAt(lowest)).toBeCloseTo(relevance.overlapAt(lowest), 4);
    });

    test("a larger overlap takes a larger cosine", () => {
        const strict = createRelevance(0.97, seededRandom(4));
        teach(strict, 600, 4);
        expect(strict.lowestCosine()).toBeGreaterThan(relevance.lowestCosine() ?? NaN);
    });
});

test("a label counts for all answers that it was drawn from", () => {
    const [truth, other] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
    const relevance = createRelevance(0.8, () => 0);
    for (let document = 0; document < 50; document += 1) {
        relevance.add(truth);
        relevance.add(other);
    }
    const prediction = { loss: -9, deviation: 1 };
    relevance.learn(truth, truth, prediction, 3);
    relevance.learn(other, truth, prediction, 1);
    expect(relevance.overlapAt(0.9)).toBeCloseTo(0.75);
});

test("without enough documents nothing is learned", () => {
    const relevance = createRelevance(0.8, seededRandom(5));
    teach(relevance, 90, 5);
    expect(relevance.labels()).toBe(0);
    expect(relevance.lowestCosine()).toBeUndefined();
});

test("a vector that was removed is no document", () => {
    const random = seededRandom(6);
    const { createText } = createLanguage(random);
    const texts = Array.from({ length: 100 }, (_, intent) => createText(intent).truth);
    const relevance = createRelevance(0.8, random);
    for (const truth of texts) relevance.add(truth);
    relevance.remove(createText(101).truth);
    relevance.remove(Float32Array.from(texts[50] ?? []));
    const learn = (): void => {
        for (const truth of texts) relevance.learn(truth, truth, { loss: -9, deviation: 1 }, 1);
    };
    learn();
    // Of 99 documents, which are too few, nothing is learned.
    expect(relevance.labels()).toBe(0);
    relevance.add(texts[50] ?? new Float32Array());
    learn();
    expect(relevance.labels()).toBe(texts.length);
});
