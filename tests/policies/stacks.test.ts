import { describe, expect, test } from "@jest/globals";
import { message } from "../../policies/core/message.ts";
import { objectsOf } from "../../policies/core/object.ts";
import { expiredOf, failuresOf, advicesOf, run, unusedOf } from "../../policies/core/run.ts";
import { RULES } from "../../policies/rules/index.ts";
import { policiesOf } from "../../policies/stacks.ts";
import { render } from "../support/stacks.ts";

describe.each(["dev", "prod", "local"])("stack %s", (stack) => {
    test("has nothing that a rule finds, and no exemption too many", async () => {
        const { manifests } = await render({ stack });
        const result = run(RULES, policiesOf(stack), manifests.flatMap(objectsOf));
        expect(failuresOf(result).map(message)).toEqual([]);
        expect(advicesOf(result).map(message)).toEqual([]);
        expect(expiredOf(result)).toEqual([]);
        expect(unusedOf(result)).toEqual([]);
        expect(result.rules).toHaveLength(RULES.length);
        expect(result.rules.flatMap(({ undecided }) => undecided)).toEqual([]);
    });
});
