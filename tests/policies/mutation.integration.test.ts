import { expect, test } from "@jest/globals";
import { MUTATIONS } from "../../policies/rules/mutations.ts";
import { RULES } from "../../policies/rules/index.ts";
import { expectMutantsFound } from "../support/mutants.ts";

test("each rule claims some fault, and each fault has a rule", () => {
    const claimed = new Set(MUTATIONS.map(({ rule }) => rule));
    expect([...claimed].sort()).toEqual(RULES.map(({ name }) => name).sort());
});

// The other stacks differ in numbers: mutation.exhaustive.test.ts.
test("each fault of stack prod is found by the rule that claims it", () =>
    expectMutantsFound("prod"));
