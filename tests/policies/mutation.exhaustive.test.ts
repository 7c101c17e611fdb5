import { test } from "@jest/globals";
import { findFaults } from "../support/findFaults.ts";

test.each(["dev", "local"])(
    "each fault of stack %s is found by the rule that claims it",
    findFaults,
);
