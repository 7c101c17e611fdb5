import { describe, expect, test } from "@jest/globals";

import { seededRandom } from "../../../bench/shared/random.ts";
import { dot } from "../../src/semantic/linear.ts";
import {
    createNamespace,
    NEIGHBOURS,
    type NamespaceOptions,
    type SavedNamespace,
} from "../../src/semantic/namespace.ts";
import { compileRules } from "../../src/semantic/conceptRules.ts";
import { extractFacts, type TextFacts } from "../../src/semantic/vetoes.ts";
import {
    createLanguage,
    createStream,
    SIGNATURE_DIMENSIONS,
    VECTOR_DIMENSIONS,
} from "../support/simulatedTexts.ts";

const INTENTS = 60;
const TEXTS = 1_000;

function create(seed: number, options: Partial<NamespaceOptions> = {}) {
    const random = seededRandom(seed);
    const language = createLanguage(random);
    const namespace = createNamespace({
        dimensions: VECTOR_DIMENSIONS,
        signatureDimensions: SIGNATURE_DIMENSIONS,
        mode: "per-hit",
        budget: 0.05,
        auditShare: 0.05,
        confidence: 0.8,
        right: { cosine: 0.9 },
        answer: "interpolate",
        random,
        ...options,
    });
    const stream = createStream(namespace);
    const send = (count: number): void => {
        for (let text = 0; text < count; text += 1)
            stream.send(language.createText(Math.floor(random() * INTENTS)));
    };
    return { namespace, language, ...stream, send };
}

function createSent(seed: number, options: Partial<NamespaceOptions> = {}) {
    const run = create(seed, options);
    run.send(TEXTS);
    return { ...run, state: run.namespace.state() };
}

const RUNS = [createSent(1), createSent(2), createSent(3)] as const;

describe("on a stream of simulated texts", () => {
    test("answers are served, and their realised error is within the budget", () => {
        const served = RUNS.reduce((sum, run) => sum + run.outcome.served, 0);
        const wrong = RUNS.reduce((sum, run) => sum + run.outcome.wrong, 0);
        expect(served).toBeGreaterThan(0.2 * TEXTS * RUNS.length);
        expect(wrong / served).toBeLessThanOrEqual(0.05);
    });

    test("both bounds hold in every run", () => {
        for (const { outcome, state } of RUNS) {
            const { served, wrong } = outcome;
            expect(wrong).toBeLessThanOrEqual(state.servedBound * served);
            expect(wrong).toBeLessThanOrEqual(state.answerBound * served);
        }
    });
});

test("nothing is served before the labels show that the error is within the budget", () => {
    const { namespace, outcome, send } = create(6);
    let labels = 0;
    for (let text = 0; text < TEXTS && outcome.served === 0; text += 1) {
        labels = namespace.state().labels;
        send(1);
    }
    expect(outcome.served).toBe(1);
    // Without an error, log(1 / 0.2) / 0.05 labels at the least.
    expect(labels).toBeGreaterThan(32);
});

test("a higher confidence takes more labels", () => {
    const strict = createSent(1, { confidence: 0.99 });
    expect(strict.outcome.served).toBeLessThan(RUNS[0].outcome.served);
});

test("the layer turns itself off when its answers become wrong, and says why", () => {
    const { namespace, language, outcome, send } = create(7, { auditShare: 0.2 });
    send(TEXTS);
    expect(namespace.state().state).toBe("serving");
    language.scramble();
    const before = outcome.served;
    send(TEXTS);
    const { state, reason, exhaustions } = namespace.state();
    expect(exhaustions).toBeGreaterThan(0);
    expect(state).toBe("exhausted");
    expect(reason).toMatch(/budget/);
    // Without the switch-off it would have served as many as before.
    expect(outcome.served - before).toBeLessThan(0.3 * before);
});

test("an interpolated answer is closer to the truth than the nearest neighbour's vector", () => {
    const { language, index, send, decide } = create(8);
    send(400);
    let better = 0;
    for (let text = 0; text < 200; text += 1) {
        const one = language.createText(text % INTENTS);
        const { candidate } = decide(one);
        if (!candidate) continue;
        const copied = dot(candidate.nearest.vector, one.truth);
        if (dot(candidate.vector, one.truth) > copied) better += 1;
    }
    expect(index.size()).toBeGreaterThan(0);
    expect(better).toBeGreaterThan(140);
});

test("near neighbours that contradict a text answer it only with a neighbour that agrees and is not far away", () => {
    const { namespace, language, index } = RUNS[0];
    const rules = compileRules({ version: 1, synonyms: [], opposites: [], places: [] });
    const [agreeing, contradicting] = ["garden", "no garden"].map((text) =>
        extractFacts(text, rules),
    ) as [TextFacts, TextFacts];
    const countServed = (similarity: number): number => {
        let served = 0;
        for (let at = 0; at < 200; at += 1) {
            const { signature } = language.createText(at % INTENTS);
            const near = index.search(signature, NEIGHBOURS).map((one, rank) => ({
                similarity: rank === NEIGHBOURS - 1 ? similarity : one.similarity,
                entry: {
                    ...one.entry,
                    facts: rank === NEIGHBOURS - 1 ? agreeing : contradicting,
                },
            }));
            const query = { text: String(at), facts: agreeing, signature, near, entries: TEXTS };
            if (namespace.decide(query).kind === "serve") served += 1;
        }
        return served;
    };
    expect(countServed(0.49)).toBe(0);
    expect(countServed(0.51)).toBeGreaterThan(0);
});

test("in the mode per-request the budget counts all requests", () => {
    const perHit = create(9, { budget: 0.02 });
    const perRequest = create(9, { budget: 0.02, mode: "per-request" });
    for (const { namespace, send } of [perHit, perRequest]) {
        for (let request = 0; request < 10 * TEXTS; request += 1) namespace.onExact();
        send(TEXTS);
    }
    expect(perRequest.outcome.served).toBeGreaterThan(perHit.outcome.served);
    const { served, wrong } = perRequest.outcome;
    expect(served).toBeGreaterThan(0);
    expect(wrong / (11 * TEXTS)).toBeLessThanOrEqual(0.02);
});

describe("a calibrated ρ", () => {
    const options = { right: { overlap: 0.6 } };
    const { namespace, state } = createSent(10, options);

    test("is the cosine whose answers find the same documents", () => {
        expect(create(10, options).namespace.state().minCosine).toBe(1);
        const { minCosine, overlap } = state;
        expect(minCosine).toBeGreaterThanOrEqual(0.9);
        expect(minCosine).toBeLessThan(0.995);
        expect(overlap).toBeGreaterThanOrEqual(0.6);
    });

    test("is calibrated again in another process, by the answers and labels that were saved", () => {
        const saved = JSON.parse(JSON.stringify(namespace.save())) as SavedNamespace;
        expect(saved.past.some(([, , cosine]) => cosine !== undefined)).toBe(true);
        expect(saved.relevance.length).toBeGreaterThan(50);
        const other = create(11, options);
        other.send(TEXTS / 2);
        other.namespace.restore(saved);
        expect(other.namespace.save()).toEqual(saved);
        const { minCosine, overlap, answerBound, servedBound } = state;
        const restored = other.namespace.state();
        expect(restored).toMatchObject({ minCosine, answerBound, servedBound });
        expect(restored.overlap).toBeCloseTo(overlap, 4);
    });
});
