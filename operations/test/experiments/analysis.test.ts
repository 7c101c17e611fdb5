import { describe, expect, test } from "@jest/globals";
import { BLOCKS, type Arm } from "@property-search/contract";
import {
    analyze,
    type Analysis,
    type BlockCounts,
    type Counts,
} from "../../experiments/analysis.ts";
import { replay, UNKNOWN } from "../support/experimentReplay.ts";
import { replayUsers } from "../support/userReplay.ts";

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
        relevant: 0,
        irrelevant: 0,
    });
    const blocks = [70, 90, 80, 75, 85].flatMap((misses) => [
        block("control", misses),
        block("treatment", misses),
    ]);

    test("is unknown, not equal, without lookups of an arm", () => {
        const { verdict } = analyze({
            unit: "text",
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
            unit: "text",
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
            analyze({
                unit: "text",
                blocks: saving,
                p99: UNKNOWN,
                semantic: { ...semantic, ...change },
            });

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
        const { verdict } = analyze({ unit: "text", blocks, p99: UNKNOWN, semantic: undefined });

        expect(verdict).toMatch(
            /^Undecided: no difference is certain yet \(−\d+\.\d % to \+\d+\.\d % tokens\)\.$/,
        );
    });
});

describe("the verdict of an experiment with unit user", () => {
    const block = (arm: Arm, at: number, change: Partial<BlockCounts> = {}): BlockCounts => ({
        arm,
        ...{ hits: 900, misses: 100, tokens: 1_200 },
        ...{ relevant: 4_000 + 10 * (at % 5), irrelevant: 1_000 },
        ...change,
    });
    const blocksOf = (treatment: Partial<BlockCounts>, both: Partial<BlockCounts> = {}) =>
        Array.from({ length: BLOCKS }, (_, at) =>
            at < 50
                ? block("control", at, both)
                : block("treatment", at, { ...both, ...treatment }),
        );
    const decide = (blocks: readonly BlockCounts[], semantic?: Counts["semantic"]): Analysis =>
        analyze({ unit: "user", blocks, p99: UNKNOWN, semantic });

    test("does not rest on tokens, which arms of users buy for each other", () => {
        const { decision, verdict, tokens } = decide(
            blocksOf({ tokens: 300 }, { relevant: 0, irrelevant: 0 }),
        );

        expect(tokens?.high).toBeLessThan(0);
        expect([decision, verdict]).toEqual([
            "undecided",
            "Undecided: each arm needs 100 verdicts of users (POST /v1/feedback with user), because arms of users share entries, and tokens cannot decide.",
        ]);
    });

    test("adopts a treatment whose users find as many results relevant", () => {
        const { decision, verdict } = decide(blocksOf({}));

        expect(decision).toBe("adopt");
        expect(verdict).toMatch(
            /^Adopt the treatment if it saves: .* \(−\d\.\d points to \+\d\.\d points; allowed: −2\.0 points\)\. What it saves is measured with unit text\.$/,
        );
    });

    test("stops a treatment whose users find fewer results relevant, however much it saves", () => {
        const { decision, verdict } = decide(blocksOf({ tokens: 0, irrelevant: 1_400 }));

        expect(decision).toBe("stop");
        expect(verdict).toContain("its users find fewer results relevant (−");
    });

    test("waits while the error bound of semantic answers is above the budget", () => {
        const semantic = {
            answers: { control: 0, treatment: 300 },
            ...{ errorBound: 0.031, errorBudget: 0.02, exhausted: 0 },
        };

        expect(decide(blocksOf({}), semantic)).toMatchObject({
            decision: "undecided",
            verdict: expect.stringContaining("but its error bound is 3.1 %; allowed: 2.0 %."),
        });
        expect(decide(blocksOf({}), { ...semantic, errorBound: 0.019 }).decision).toBe("adopt");
    });

    test("does not mistake a few equal verdicts for certainty", () => {
        const few = { relevant: 3, irrelevant: 0 };
        const { decision, relevance } = decide(blocksOf(few, few));

        expect(relevance).toMatchObject({ estimate: 0 });
        expect(relevance?.low).toBeLessThan(-0.02);
        expect(decision).toBe("undecided");
    });

    test("is reached in a stream of users whose activity follows Zipf's law", () => {
        const runs = replayUsers({
            ...{ runs: 5, days: 14, users: 2_000, texts: 2_000, requestsPerDay: 10_000 },
            ...{ percent: 50, relevanceChange: -0.1 },
        });

        for (const days of runs) {
            expect(days.map(({ decision }) => decision)).toContain("stop");
            expect(days.map(({ decision }) => decision)).not.toContain("adopt");
        }
    });
});
