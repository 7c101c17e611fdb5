import { expect, test } from "@jest/globals";
import { DEFAULT_PLAN, parsePlan, type PlanFlags } from "../../release/plan.ts";

test("Without flags the plan is the default one, and a flag changes one value", () => {
    expect(parsePlan({})).toEqual(DEFAULT_PLAN);
    expect(parsePlan({ steps: "5,25,100", minStepSeconds: "30" })).toEqual({
        ...DEFAULT_PLAN,
        steps: [5, 25, 100],
        minStepSeconds: 30,
    });
});

test.each<[PlanFlags, string]>([
    [{ steps: "10,50" }, '--steps is "10,50"; allowed: rising whole percentages'],
    [{ steps: "50,10,100" }, '--steps is "50,10,100"'],
    [{ steps: "0,100" }, '--steps is "0,100"'],
    [{ steps: "10,33.3,100" }, '--steps is "10,33.3,100"'],
    [{ steps: "" }, '--steps is ""'],
    [
        { minStepSeconds: "-1" },
        '--min-step-seconds is "-1"; allowed: a whole number from 0 to 86400',
    ],
    [{ minRequests: "0" }, '--min-requests is "0"; allowed: a whole number from 1 to 10000000'],
    [
        { shareRequests: "10" },
        '--share-requests is "10"; allowed: a whole number from 200 to 100000',
    ],
    [
        { minStepSeconds: "600" },
        "--step-deadline-seconds is 600; allowed: more than --min-step-seconds (600)",
    ],
])("%j is rejected", (flags, words) => {
    expect(() => parsePlan(flags)).toThrow(words);
});

test("All problems are reported at once", () => {
    expect(() => parsePlan({ steps: "x", minStepSeconds: "y" })).toThrow(
        /--steps is "x".*\n--min-step-seconds is "y"/,
    );
});
