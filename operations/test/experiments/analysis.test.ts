import { describe, expect, test } from "@jest/globals";
import type { Arm } from "@property-search/contract";
import { analyze, type BlockCounts } from "../../experiments/analysis.ts";
import { replay, UNKNOWN } from "../support/experimentReplay.ts";

const SIZE = { runs: 10, days: 14, texts: 20_000, requestsPerDay: 10_000 };

describe("an experiment that is analysed each day", () => {
    test("adopts a treatment that buys less", () => {
        const shares = replay({ ...SIZE, ttlDays: { control: 1, treatment: 7 } });

        expect(shares.adopt).toBeGreaterThan(0.9);
        expect(shares.reject).toBeUndefined();
    });

    test("rejects a treatment that buys more", () => {
        const shares = replay({ ...SIZE, ttlDays: { control: 7, treatment: 1 } });

        expect(shares.reject).toBeGreaterThan(0.9);
        expect(shares.adopt).toBeUndefined();
    });

    test("has no verdict if an arm loses lookups", () => {
        const shares = replay({
            ...SIZE,
            ttlDays: { control: 3, treatment: 3 },
            isCounted: (arm, random) => arm === "control" || random < 0.3,
        });

        expect(shares.broken).toBeGreaterThan(0.9);
    });
});

describe("the verdict", () => {
    const block = (arm: Arm, misses: number): BlockCounts => ({
        arm,
        hits: 1_000 - misses,
        misses,
        tokens: misses * 12,
    });
    const blocks = [70, 90, 80, 75, 85].flatMap((misses) => [
        block("control", misses),
        block("treatment", misses),
    ]);

    test("is unknown, not equal, without lookups of an arm", () => {
        const { verdict } = analyze({
            blocks: blocks.filter(({ arm }) => arm === "control"),
            p99: UNKNOWN,
            semantic: undefined,
        });

        expect(verdict).toBe(
            "Nothing to compare yet: control has 5000 lookups, treatment has 0 lookups.",
        );
    });

    test("stops a treatment that is slower, even if it saves tokens", () => {
        const { verdict } = analyze({
            blocks,
            p99: { control: 0.02, treatment: 0.03 },
            semantic: undefined,
        });

        expect(verdict).toBe(
            "Stop the treatment: its p99 is 30.0 ms, the control's 20.0 ms; allowed: 1.1 times as much.",
        );
    });

    describe("of a treatment that saves tokens by semantic answers", () => {
        const saving = [70, 90, 80, 75, 85].flatMap((misses) => [
            block("control", misses),
            block("treatment", misses / 4),
        ]);
        const semantic = {
            answers: { control: 0, treatment: 300 },
            errorBound: 0.019,
            errorBudget: 0.02,
            exhausted: 0,
        };
        const decide = (change: Partial<typeof semantic> | { errorBound: undefined }) =>
            analyze({ blocks: saving, p99: UNKNOWN, semantic: { ...semantic, ...change } });

        test("adopts it if its error is shown to be within the budget", () => {
            expect(decide({}).decision).toBe("adopt");
        });

        test("waits while its error bound is above the budget, or unknown", () => {
            for (const [errorBound, shown] of [
                [0.031, "3.1 %"],
                [undefined, "unknown"],
            ] as const) {
                const { decision, verdict } = decide({ errorBound });
                expect(decision).toBe("undecided");
                expect(verdict).toContain(`but its error bound is ${shown}; allowed: 2.0 %.`);
            }
        });

        test("stops it if its budget is exhausted", () => {
            expect(decide({ exhausted: 3 })).toMatchObject({
                decision: "stop",
                verdict:
                    "Stop the treatment: its error budget of 2.0 % is exhausted for 3 tenants of pods.",
            });
        });
    });

    test("gives the figures that decided", () => {
        const { verdict } = analyze({ blocks, p99: UNKNOWN, semantic: undefined });

        expect(verdict).toMatch(
            /^Undecided: no difference is certain yet \(−\d+\.\d % to \+\d+\.\d % tokens\)\.$/,
        );
    });
});
