import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
    evidenceAbove,
    evidenceBelow,
    evidenceWorse,
    logEvidence,
} from "../../judge/sequential.ts";
import { seededRandom } from "../../../bench/shared/random.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const TOLERANCE = { ratio: 1, margin: 0.001 };

describe("evidence", () => {
    test("is the mean over θ of the capital of a bet on θ times as many", () => {
        // ∫ θ^bad · e^(−(θ−1)·expected) · gamma(θ; ½, ½) dθ, with θ = u² against the density's pole at 0.
        const byIntegral = (bad: number, expected: number) => {
            const step = 1e-3;
            let sum = 0;
            for (let u = step / 2; u < 40; u += step) {
                const theta = u * u;
                const bet = bad * Math.log(theta) - (theta - 1) * expected;
                sum += Math.exp(bet - theta / 2) * step;
            }
            return Math.log((2 * sum * Math.SQRT1_2) / Math.sqrt(Math.PI));
        };
        for (const [bad, expected] of [
            [0, 0],
            [0, 5],
            [1, 0.1],
            [7, 0.5],
            [30, 12],
            [3, 40],
        ] as const) {
            expect(logEvidence(bad, expected)).toBeCloseTo(byIntegral(bad, expected), 5);
        }
    });

    test("stays a number in the millions", () => {
        expect(logEvidence(1e6, 1e6)).toBeLessThan(0);
        expect(logEvidence(1_010_000, 1e6)).toBeGreaterThan(30);
    });

    test("is never both above and below, and is 0 at the limit", () => {
        fc.assert(
            fc.property(fc.nat({ max: 1000 }), fc.integer({ min: 1, max: 99 }), (bad, limit) => {
                const share = { bad, total: 1000 };
                const above = evidenceAbove(share, limit / 100);
                const below = evidenceBelow(share, limit / 100);
                expect(Math.min(above, below)).toBe(0);
                if (bad === limit * 10) expect([above, below]).toEqual([0, 0]);
            }),
            propertyRuns(),
        );
        expect(evidenceAbove({ bad: 0, total: 0 }, 0.01)).toBe(0);
        expect(evidenceBelow({ bad: 0, total: 0 }, 0.01)).toBe(0);
    });

    test("against a candidate is the minimum over all tolerated probabilities", () => {
        const share = fc
            .integer({ min: 1, max: 3000 })
            .chain((of) => fc.record({ bad: fc.nat({ max: of }), total: fc.constant(of) }));
        const tolerance = fc.record({
            ratio: fc.double({ min: 1, max: 3, noNaN: true }),
            margin: fc.double({ min: 0.001, max: 0.2, noNaN: true }),
        });
        fc.assert(
            fc.property(share, share, tolerance, (candidate, active, { ratio, margin }) => {
                const evidence = evidenceWorse(candidate, active, { ratio, margin });
                for (let chance = 0; chance <= 1; chance += 1 / 256) {
                    const tolerated = Math.min(1, ratio * chance + margin);
                    const there =
                        logEvidence(candidate.bad, candidate.total * tolerated) +
                        logEvidence(active.bad, active.total * chance);
                    expect(evidence).toBeLessThanOrEqual(Math.max(0, there) + 1e-6);
                }
            }),
            propertyRuns(),
        );
    });

    test("against a candidate is 0 without requests, without an active, or within the tolerance", () => {
        expect(evidenceWorse({ bad: 0, total: 0 }, { bad: 0, total: 100 }, TOLERANCE)).toBe(0);
        expect(evidenceWorse({ bad: 100, total: 100 }, { bad: 0, total: 0 }, TOLERANCE)).toBe(0);
        expect(evidenceWorse({ bad: 2, total: 1000 }, { bad: 1, total: 1000 }, TOLERANCE)).toBe(0);
        expect(
            evidenceWorse(
                { bad: 1000, total: 1000 },
                { bad: 900, total: 1000 },
                { ratio: 1.5, margin: 0.05 },
            ),
        ).toBe(0);
        expect(
            evidenceWorse({ bad: 50, total: 1000 }, { bad: 1, total: 1000 }, TOLERANCE),
        ).toBeGreaterThan(20);
    });
});

describe("the evidence against a true hypothesis, checked after every request", () => {
    const ALPHA = 0.05;
    const NEEDED = -Math.log(ALPHA);
    const RUNS = 1000;
    const REQUESTS = 400;

    /** @returns in what share of runs a rule ever says "worse" of a candidate that is just tolerable */
    function everWorse(
        chanceOf: (at: number) => number,
        rule: (
            candidate: { bad: number; total: number },
            active: { bad: number; total: number },
        ) => boolean,
    ): number {
        const random = seededRandom(20);
        let wrong = 0;
        for (let run = 0; run < RUNS; run += 1) {
            const candidate = { bad: 0, total: 0 };
            const active = { bad: 0, total: 0 };
            for (let at = 0; at < REQUESTS; at += 1) {
                const chance = chanceOf(at);
                candidate.total += 1;
                if (random() < chance + MARGIN) candidate.bad += 1;
                active.total += 1;
                if (random() < chance) active.bad += 1;
                if (rule(candidate, active)) {
                    wrong += 1;
                    break;
                }
            }
        }
        return wrong / RUNS;
    }
    const MARGIN = 0.01;
    const tolerance = { ratio: 1, margin: MARGIN };
    const ours = (
        candidate: { bad: number; total: number },
        active: { bad: number; total: number },
    ) => evidenceWorse(candidate, active, tolerance) >= NEEDED;

    test("reaches 1/α in no more than α of the runs", () => {
        expect(everWorse(() => 0.05, ours)).toBeLessThanOrEqual(ALPHA);
        expect(everWorse(() => 0, ours)).toBeLessThanOrEqual(ALPHA);
    });

    test("does so too while both colours' probabilities change together", () => {
        const outage = (at: number) => (at % 200 < 40 ? 0.6 : 0.01);
        expect(everWorse(outage, ours)).toBeLessThanOrEqual(ALPHA);
    });

    test("a fixed-sample test does not: it is wrong several times as often as promised", () => {
        const oneLook = (
            candidate: { bad: number; total: number },
            active: { bad: number; total: number },
        ) => {
            if (candidate.total < 50) return false;
            const [p, q] = [candidate.bad / candidate.total, active.bad / active.total + MARGIN];
            const deviation = Math.sqrt((p * (1 - p) + q * (1 - q)) / candidate.total);
            return p - q > 1.645 * deviation;
        };
        expect(everWorse(() => 0.05, oneLook)).toBeGreaterThan(3 * ALPHA);
    });
});
