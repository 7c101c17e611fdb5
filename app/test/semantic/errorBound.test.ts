import { describe, expect, test } from "@jest/globals";

import {
    createChangeDetector,
    createServedErrors,
    isErrorAtMost,
    isMeanErrorAtMost,
    upperErrorBound,
    upperMeanError,
} from "../../src/semantic/errorBound.ts";
import { seededRandom } from "../../../bench/shared/random.ts";

const ALPHA = 0.05;
const RUNS = 100;
const ANSWERS = 600;
/** Failures among the runs that a bound with this probability of failing exceeds with less than 1 in 1,000. */
const MAX_FAILURES = 14;

/** A bound of many streams, which share most of their tallies. */
function remember(bound: typeof upperMeanError): (labelled: number, wrong: number) => number {
    const known = new Map<number, number>();
    return (labelled, wrong) => {
        const tally = labelled * (ANSWERS + 1) + wrong;
        const value = known.get(tally) ?? bound({ labelled, wrong }, ALPHA);
        known.set(tally, value);
        return value;
    };
}

function countFailures(fails: (random: () => number) => boolean): number {
    let failures = 0;
    for (let seed = 1; seed <= RUNS; seed += 1) if (fails(seededRandom(seed))) failures += 1;
    return failures;
}

describe("the bound of labelled answers", () => {
    test.each([0.005, 0.02, 0.1, 0.4])("holds for an error of %d", (error) => {
        const failures = countFailures((random) => {
            const wrong = Array.from({ length: ANSWERS }, random).filter((one) => one < error);
            const tally = { labelled: ANSWERS, wrong: wrong.length };
            return upperErrorBound(tally, ALPHA) < error;
        });
        expect(failures).toBeLessThanOrEqual(MAX_FAILURES);
    });

    test("holds at every step of a stream at once", () => {
        const upperOf = remember(upperErrorBound);
        const failures = countFailures((random) => {
            let wrong = 0;
            for (let labelled = 1; labelled <= 100; labelled += 1) {
                if (random() < 0.2) wrong += 1;
                if (upperOf(labelled, wrong) < 0.2) return true;
            }
            return false;
        });
        expect(failures).toBeLessThanOrEqual(MAX_FAILURES);
    });

    test("falls with labels, rises with errors, and is 1 without labels", () => {
        expect(upperErrorBound({ labelled: 0, wrong: 0 }, ALPHA)).toBe(1);
        expect(upperErrorBound({ labelled: 300, wrong: 0 }, ALPHA)).toBeLessThan(0.02);
        expect(upperErrorBound({ labelled: 300, wrong: 3 }, ALPHA)).toBeGreaterThan(0.02);
        expect(upperErrorBound({ labelled: 30, wrong: 0 }, ALPHA)).toBeGreaterThan(0.02);
    });
});

test.each([
    ["labelled answers", upperErrorBound, isErrorAtMost],
    ["errors that change", upperMeanError, isMeanErrorAtMost],
])("the bound of %s is compared without being computed", (_, upperOf, isAtMost) => {
    for (const labelled of [0, 1, 30, 300])
        for (const wrong of [0, 1, 3, labelled].filter((one) => one <= labelled)) {
            const tally = { labelled, wrong };
            const bound = upperOf(tally, ALPHA);
            for (const most of [0.001, 0.02, 0.2, bound - 1e-6, bound + 1e-6, 1, Infinity])
                expect([tally, most, isAtMost(tally, most, ALPHA)]).toEqual([
                    tally,
                    most,
                    bound <= most,
                ]);
        }
});

describe("the bound of the mean of errors that change", () => {
    const upperOf = remember(upperMeanError);
    test.each([
        ["do not change", () => 0.05],
        ["rise", (answer: number) => (0.1 * answer) / ANSWERS],
        ["fall", (answer: number) => 0.1 - (0.1 * answer) / ANSWERS],
        ["follow errors", (_: number, wrong: number) => (wrong % 2 === 0 ? 0.02 : 0.2)],
    ])("holds at every step if they %s", (_, errorOf) => {
        const failures = countFailures((random) => {
            let [wrong, sum] = [0, 0];
            for (let labelled = 1; labelled <= ANSWERS; labelled += 1) {
                const error = errorOf(labelled, wrong);
                sum += error;
                if (random() < error) wrong += 1;
                if (upperOf(labelled, wrong) < sum / labelled) return true;
            }
            return false;
        });
        expect(failures).toBeLessThanOrEqual(MAX_FAILURES);
    });

    test("takes 183 labels without an error for 2 %", () => {
        expect(upperMeanError({ labelled: 0, wrong: 0 }, ALPHA)).toBe(1);
        expect(upperMeanError({ labelled: 182, wrong: 0 }, ALPHA)).toBeGreaterThan(0.02);
        expect(upperMeanError({ labelled: 183, wrong: 0 }, ALPHA)).toBeLessThan(0.02);
        expect(upperMeanError({ labelled: 183, wrong: 1 }, ALPHA)).toBeGreaterThan(0.02);
        expect(upperMeanError({ labelled: 10, wrong: 10 }, ALPHA)).toBe(1);
    });
});

describe("the bound of served errors", () => {
    const falling = (answer: number): number => Math.max(0.1, 20 / (20 + answer));
    test.each([
        ["spread evenly", (answer: number) => answer % 20 === 0],
        ["at the end, after long trust", (answer: number) => answer > ANSWERS * 0.9],
        ["at the start", (answer: number) => answer < ANSWERS * 0.1],
        ["where audits are rare", (answer: number) => falling(answer) < 0.12],
        ["until an audit finds one", (_: number, audited: number) => audited === 0],
    ])("holds at every step for errors %s", (_, isWrong) => {
        const failures = countFailures((random) => {
            const errors = createServedErrors();
            let [wrong, audited] = [0, 0];
            for (let answer = 0; answer < ANSWERS; answer += 1) {
                const share = falling(answer);
                const isAudited = random() < share;
                const isOneWrong = isWrong(answer, audited);
                if (isAudited) errors.onAudit(share, isOneWrong);
                else errors.onServed(share);
                if (isOneWrong && isAudited) audited += 1;
                if (isOneWrong && !isAudited) wrong += 1;
                if (answer % 10 === 0 && errors.upperBound(ALPHA) < wrong) return true;
            }
            return false;
        });
        expect(failures).toBeLessThanOrEqual(MAX_FAILURES);
    });

    test("is at most the number of answers, and less with more audits", () => {
        const boundOf = (served: number, share: number): number => {
            const errors = createServedErrors();
            for (let answer = 0; answer < served; answer += 1) errors.onServed(share);
            return errors.upperBound(ALPHA);
        };
        expect(boundOf(7, 0.05)).toBe(7);
        expect(boundOf(10_000, 0.05)).toBeLessThan(110);
        expect(boundOf(10_000, 0.2)).toBeLessThan(30);
    });
});

describe("the change detector", () => {
    test("finds an error of five times the budget within 300 labels", () => {
        const missed = countFailures((random) => {
            const detector = createChangeDetector(0.02, 1 / 2_000);
            for (let label = 0; label < 300; label += 1)
                if (detector.learn(random() < 0.1)) return false;
            return true;
        });
        expect(missed).toBeLessThanOrEqual(3);
    });

    test("raises no alarm in most streams of 1,000 labels with half the budget's error", () => {
        const alarms = countFailures((random) => {
            const detector = createChangeDetector(0.02, 1 / 2_000);
            for (let label = 0; label < 1_000; label += 1)
                if (detector.learn(random() < 0.01)) return true;
            return false;
        });
        expect(alarms).toBeLessThanOrEqual(8);
    });
});
