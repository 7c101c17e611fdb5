import { test } from "@jest/globals";
import { expectMutantsFound } from "../support/mutants.ts";

test.each(["dev", "local"])(
    "each fault of stack %s is found by the rule that claims it",
    expectMutantsFound,
);
