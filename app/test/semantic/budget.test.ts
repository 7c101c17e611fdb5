import { describe, expect, test } from "@jest/globals";

import { createBudget, type Budget, type BudgetOptions } from "../../src/semantic/budget.ts";

function create(options: Partial<BudgetOptions> = {}): Budget {
    return createBudget({
        mode: "per-hit",
        share: 0.02,
        auditShare: 0.02,
        confidence: 0.8,
        evidence: "labels",
        ...options,
    });
}

/** Records labels of a score: audits, while it is served. */
function learn(budget: Budget, score: number, right: number, wrong = 0): void {
    for (let label = 0; label < right + wrong; label += 1) {
        budget.onRequest();
        budget.onCandidate(score);
        budget.learn(score, label >= right, score >= budget.minScore() ? 0.02 : undefined);
    }
}

test("a new budget serves nothing, and says why", () => {
    const budget = create();
    expect(budget.minScore()).toBe(Infinity);
    expect(budget.report()).toMatchObject({
        state: "learning",
        reason: "too few labels",
        answerBound: 1,
    });
});

test("right labels open the scores that they reach, and no others", () => {
    const budget = create();
    learn(budget, 2.2, 300);
    expect(budget.minScore()).toBe(0);
    learn(budget, 0.7, 0, 30);
    expect(budget.minScore()).toBe(0.75);
    expect(budget.report().state).toBe("serving");
});

test("labels with more errors than the budget never open it", () => {
    const budget = create();
    for (let round = 0; round < 20; round += 1) learn(budget, 3, 95, 5);
    expect(budget.minScore()).toBe(Infinity);
});

describe("an open budget", () => {
    test("is exhausted by wrong audits, and opens again by right ones", () => {
        const budget = create();
        learn(budget, 4, 200);
        expect(budget.minScore()).not.toBe(Infinity);
        learn(budget, 4, 0, 8);
        expect(budget.minScore()).toBe(Infinity);
        const { state, reason, exhaustions } = budget.report();
        expect({ state, exhaustions }).toEqual({ state: "exhausted", exhaustions: 1 });
        expect(reason).toMatch(/budget/);
        learn(budget, 4, 1_500);
        expect(budget.report()).toMatchObject({ state: "serving", reason: undefined });
    });

    test("that is reset has to show its error again, and reports that it was open", () => {
        const budget = create();
        learn(budget, 4, 200);
        budget.reset("ρ was calibrated again", []);
        expect(budget.report()).toMatchObject({
            state: "exhausted",
            exhaustions: 1,
            reason: "ρ was calibrated again",
            labelled: 0,
        });
        expect(budget.minScore()).toBe(Infinity);
    });

    test("that is reset counts only wrong answers of the new meaning", () => {
        const budget = create();
        learn(budget, 4, 400);
        for (let answer = 0; answer < 5_000; answer += 1) budget.onServed(0.02);
        learn(budget, 4, 0, 1);
        expect(budget.report().servedBound).toBeGreaterThan(0);
        budget.reset("ρ was calibrated again", []);
        expect(budget.report()).toMatchObject({ servedBound: 0, served: 5_000 });
        learn(budget, 4, 400);
        for (let answer = 0; answer < 100; answer += 1) budget.onServed(0.02);
        // Nearly all of so few answers could be wrong; 5,000 more would hide it.
        expect(budget.report().servedBound).toBeGreaterThan(0.5);
    });
});

test("a reset budget opens again by earlier answers that are right in the new meaning", () => {
    const budget = create();
    learn(budget, 4, 200);
    const past = Array.from({ length: 300 }, (_, at) => ({
        score: 2.2,
        isWrong: at < 150 ? false : undefined,
    }));
    budget.reset("ρ was calibrated again", past);
    expect(budget.report()).toMatchObject({ state: "serving", exhaustions: 0, answerBound: 1 });
    budget.reset(
        "ρ was calibrated again",
        past.map(({ score }) => ({ score, isWrong: true })),
    );
    expect(budget.report()).toMatchObject({ state: "exhausted", exhaustions: 1 });
});

test("a budget that is not open is reset without an exhaustion", () => {
    const budget = create();
    budget.reset("ρ was calibrated again", []);
    expect(budget.report()).toMatchObject({ state: "learning", exhaustions: 0 });
});

test("per request, requests before a reset do not make answers rare after it", () => {
    const budget = create({ mode: "per-request" });
    for (let request = 0; request < 100_000; request += 1) budget.onRequest();
    budget.reset("ρ was calibrated again", []);
    learn(budget, 3, 190, 10);
    expect(budget.minScore()).toBe(Infinity);
});

test.each(["labels", "prior"] as const)(
    "per request and by %s, scores without an answer stay closed, however rare answers are",
    (evidence) => {
        const budget = create({ mode: "per-request", evidence });
        learn(budget, 3, 150, 50);
        expect(budget.minScore()).toBe(Infinity);
        for (let request = 0; request < 100_000; request += 1) budget.onRequest();
        learn(budget, 3, 1);
        expect(budget.minScore()).toBeLessThanOrEqual(3);
    },
);

test("per request, few requests do not show that answers are rare", () => {
    const open = [60, 6_000].map((requests) => {
        const budget = create({ mode: "per-request" });
        for (let request = 0; request < requests; request += 1) budget.onRequest();
        learn(budget, 3, 0, 1);
        return budget.minScore() < Infinity;
    });
    expect(open).toEqual([false, true]);
});

test("per request, answers may be wrong more often if they are rare", () => {
    const [perHit, perRequest] = [create(), create({ mode: "per-request" })];
    for (const budget of [perHit, perRequest]) {
        for (let request = 0; request < 10_000; request += 1) budget.onRequest();
        learn(budget, 3, 190, 10);
    }
    expect(perHit.minScore()).toBe(Infinity);
    expect(perRequest.minScore()).not.toBe(Infinity);
});

test("the published bound counts audits, and no labels from before it opened", () => {
    const budget = create();
    while (budget.minScore() === Infinity) learn(budget, 4, 1);
    expect(budget.report()).toMatchObject({ answerBound: 1, labelled: 0 });
    learn(budget, 4, 182);
    expect(budget.report().answerBound).toBeGreaterThan(0.02);
    learn(budget, 4, 1);
    expect(budget.report()).toMatchObject({ labelled: 183, wrong: 0 });
    expect(budget.report().answerBound).toBeLessThan(0.02);
    // Labels of scores that are not served.
    learn(budget, -1, 10, 10);
    expect(budget.report()).toMatchObject({ labelled: 183, wrong: 0 });
});

describe("with the errors of other texts as prior evidence", () => {
    const createWithPrior = (options: Partial<BudgetOptions> = {}): Budget =>
        create({ evidence: "prior", ...options });

    test("high scores open after a few right labels, low ones do not", () => {
        const budget = createWithPrior();
        learn(budget, 4, 3);
        expect(budget.minScore()).toBeLessThanOrEqual(3.5);
        const low = createWithPrior();
        learn(low, 0.2, 30);
        expect(low.minScore()).toBe(Infinity);
    });

    test("a higher confidence takes more labels", () => {
        const strict = createWithPrior({ confidence: 0.95 });
        learn(strict, 2.2, 5);
        expect(strict.minScore()).toBe(Infinity);
        learn(strict, 2.2, 200);
        expect(strict.minScore()).toBeLessThan(Infinity);
    });

    test("wrong labels close it, however good other texts are", () => {
        const budget = createWithPrior();
        learn(budget, 4, 10);
        learn(budget, 4, 0, 3);
        expect(budget.minScore()).toBe(Infinity);
    });

    test("after wrong audits only labels count", () => {
        const budget = createWithPrior();
        learn(budget, 4, 2_000);
        learn(budget, 4, 0, 8);
        expect(budget.report()).toMatchObject({ state: "exhausted", exhaustions: 1 });
        learn(budget, 4, 100);
        expect(budget.minScore()).toBe(Infinity);
        learn(budget, 4, 600);
        expect(budget.minScore()).toBeLessThan(Infinity);
    });

    test("the published bound does not use the prior", () => {
        const budget = createWithPrior();
        learn(budget, 4, 3);
        expect(budget.minScore()).toBeLessThan(Infinity);
        expect(budget.report().answerBound).toBe(1);
    });
});

test("the error is that of the answers, though those of low scores are labelled more often", () => {
    const budget = create({ evidence: "prior" });
    // Served from 2 on: of 1,000 answers with a score of 3 only 20 are labelled, of 50 just below 2 all.
    for (let answer = 0; answer < 1_000; answer += 1) budget.onCandidate(3);
    for (let label = 0; label < 20; label += 1) budget.learn(3, false);
    learn(budget, 1.9, 45, 5);
    // Of all labels 7 % are wrong, of all answers about 0.5 %.
    expect(budget.minScore()).toBeLessThanOrEqual(1.5);
});
