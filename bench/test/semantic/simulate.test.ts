import { describe, expect, test } from "@jest/globals";

import { NEIGHBOURS } from "../../../app/src/semantic/namespace.ts";
import { createCorpus, type Corpus } from "../../semantic/corpus.ts";
import { explorationProbability, fitCurve, quantile } from "../../semantic/policies/logistic.ts";
import { copyOracle, interpolationOracle } from "../../semantic/policies/oracle.ts";
import { ours } from "../../semantic/policies/ours.ts";
import type { CreatePolicy, Policy } from "../../semantic/policies/policy.ts";
import { staticThreshold } from "../../semantic/policies/threshold.ts";
import { globalSigmoid, vcachePerEntry } from "../../semantic/policies/vcache.ts";
import { seededRandom } from "../../shared/random.ts";
import { simulate, type Outcome } from "../../semantic/simulate.ts";
import { createStream } from "../../semantic/streams.ts";

const INTENTS = 30;
const WORDINGS = 6;
const DIMENSIONS = 12;
const COSINE = 0.9;

/** Wordings of an intent are close to each other in both models. */
function createSmallCorpus(wordings = WORDINGS): Corpus {
    const random = seededRandom(3);
    const texts = Array.from({ length: INTENTS * wordings }, (_, at) => ({
        text: `wording ${at}`.replace(/\d/g, (digit) => "abcdefghij".charAt(Number(digit))),
        intent: String(at % INTENTS),
    }));
    const createVectors = (noise: number): Float32Array => {
        const centres = Array.from({ length: INTENTS }, () =>
            Array.from({ length: DIMENSIONS }, () => random() - 0.5),
        );
        return Float32Array.from(
            texts.flatMap((_, at) => {
                const one = (centres[at % INTENTS] ?? []).map(
                    (value) => value + noise * (random() - 0.5),
                );
                const length = Math.hypot(...one);
                return one.map((value) => value / length);
            }),
        );
    };
    const set = { name: "small", origin: "test", texts };
    return createCorpus(set, createVectors(0.3), createVectors(0.3));
}

const corpus = createSmallCorpus();

function run(create: CreatePolicy, requests = 400): Outcome {
    const random = seededRandom(5);
    const stream = createStream("zipf-cold", corpus, requests, random);
    const policy = create({ corpus, minCosine: COSINE, budget: 0.05, random });
    return simulate(corpus, stream, policy, COSINE);
}

describe("a simulation", () => {
    const never = run(() => ({ answer: () => undefined }));

    test("pays once for each text if nothing is answered", () => {
        expect(never).toMatchObject({ served: 0, wrong: 0, paid: never.distinct });
    });

    test("compares a text with all that were paid for, however many others are nearer", () => {
        const large = createSmallCorpus(4 * WORDINGS);
        const places = Array.from({ length: 40 }, (_, at) => at);
        const near: number[] = [];
        const answer: Policy["answer"] = (miss) => void near.push(miss.near.length);
        simulate(large, { requests: places, measureFrom: 0 }, { answer }, COSINE);
        expect(near).toEqual(places.map((paid) => Math.min(paid, NEIGHBOURS)));
    });

    test("finds no error in the answers of an oracle, and more of them than of any threshold", () => {
        const [copied, interpolated] = [run(copyOracle), run(interpolationOracle)];
        expect(copied.wrong + interpolated.wrong).toBe(0);
        const threshold = run(staticThreshold(0.97));
        expect(copied.served).toBeGreaterThan(threshold.served - threshold.wrong);
    });

    test("finds errors in the answers of a low threshold", () => {
        const { served, wrong } = run(staticThreshold(-1));
        expect(served).toBeGreaterThan(300);
        expect(wrong).toBeGreaterThan(100);
    });

    test.each([
        ["vCache", vcachePerEntry],
        ["one sigmoid", globalSigmoid],
        ["our gate", ours({ answer: "interpolate" })],
    ])("errors of %s are at most the budget's share of all requests", (_, create) => {
        const { requests, wrong } = run(create, 1_500);
        // The budget is 5 %; two standard deviations of 1,500 requests are 1.1 %.
        expect(wrong / requests).toBeLessThan(0.061);
    });

    test("has the same result for the same seed", () => {
        const create = ours({ answer: "copy" });
        expect(run(create)).toEqual(run(create));
    });
});

describe("streams", () => {
    test("once has every text once", () => {
        const { requests } = createStream("once", corpus, 1_000, seededRandom(1));
        expect(new Set(requests).size).toBe(corpus.size);
        expect(requests).toHaveLength(corpus.size);
    });

    test("a warm stream is measured after as many requests", () => {
        const { requests, measureFrom } = createStream("zipf-warm", corpus, 50, seededRandom(1));
        expect([requests.length, measureFrom]).toEqual([100, 50]);
    });

    test("the most popular intent has its share of Zipf's law", () => {
        const { requests } = createStream("zipf-cold", corpus, 20_000, seededRandom(1));
        const counts = Map.groupBy(requests, (place) => corpus.intent(place));
        const most = Math.max(...[...counts.values()].map(({ length }) => length)) / 20_000;
        let sum = 0;
        for (let rank = 1; rank <= INTENTS; rank += 1) sum += 1 / rank;
        expect(most).toBeCloseTo(1 / sum, 1);
    });
});

describe("vCache's rule", () => {
    const right = Array.from({ length: 40 }, (_, at) => ({
        similarity: 0.9 + at / 500,
        isRight: true,
    }));
    const wrong = Array.from({ length: 40 }, (_, at) => ({
        similarity: 0.5 + at / 500,
        isRight: false,
    }));

    test("explores where answers were wrong, and less where they were right", () => {
        const all = [...right, ...wrong];
        expect(explorationProbability(all, 0.5, 0.05)).toBeGreaterThan(0.9);
        expect(explorationProbability(all, 0.97, 0.05)).toBeLessThan(0.5);
    });

    test.each([30, 300, 3_000])("finds the curve that drew %i observations", (count) => {
        const random = seededRandom(9);
        const drawn = Array.from({ length: count }, () => {
            const similarity = 0.6 + 0.4 * random();
            return { similarity, isRight: random() < 1 / (1 + Math.exp(-40 * (similarity - 0.8))) };
        });
        const { intercept, slope, varianceOfThreshold } = fitCurve(drawn);
        expect(Math.abs(-intercept / slope - 0.8)).toBeLessThan(4 * Math.sqrt(varianceOfThreshold));
        expect(Math.sqrt(varianceOfThreshold)).toBeLessThan(0.2 / Math.sqrt(count));
    });

    test("the normal quantile has its known values", () => {
        for (const [p, value] of [
            [0.975, 1.959964],
            [0.5, 0],
            [0.01, -2.326348],
        ] as const)
            expect(quantile(p)).toBeCloseTo(value, 5);
    });
});
