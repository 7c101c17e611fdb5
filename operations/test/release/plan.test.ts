import { expect, test } from "@jest/globals";
import { DEFAULT_PLAN, planOf, type PlanFlags } from "../../release/plan.ts";

test("Without flags the plan is the default one, and a flag changes one value", () => {
    expect(planOf({})).toEqual(DEFAULT_PLAN);
    expect(planOf({ steps: "5,25,100", hold: "30" })).toEqual({
        ...DEFAULT_PLAN,
        steps: [5, 25, 100],
        hold: 30,
    });
});

test.each<[PlanFlags, string]>([
    [{ steps: "10,50" }, '--steps is "10,50"; allowed: rising whole percentages'],
    [{ steps: "50,10,100" }, '--steps is "50,10,100"'],
    [{ steps: "0,100" }, '--steps is "0,100"'],
    [{ steps: "10,33.3,100" }, '--steps is "10,33.3,100"'],
    [{ steps: "" }, '--steps is ""'],
    [{ hold: "-1" }, '--hold is "-1"; allowed: a whole number from 0 to 86400'],
    [{ samples: "0" }, '--samples is "0"; allowed: a whole number from 1 to 10000000'],
    [{ shareSamples: "10" }, '--share-samples is "10"; allowed: a whole number from 200 to 100000'],
    [{ hold: "600" }, "--step-deadline is 600; allowed: more than --hold (600)"],
])("%j is rejected", (flags, words) => {
    expect(() => planOf(flags)).toThrow(words);
});

test("All problems are reported at once", () => {
    expect(() => planOf({ steps: "x", hold: "y" })).toThrow(/--steps is "x".*\n--hold is "y"/);
});
