import { expect, test } from "@jest/globals";
import { runRules } from "../../policies/engine/run.ts";
import { resourceToObjects, type Json } from "../../policies/kubernetes/object.ts";
import { RULES } from "../../policies/rules/index.ts";
import { readStackPolicies } from "../../policies/stacks.ts";
import { unknownCheckingProxy } from "../../policies/test/support/unknowns.ts";
import { rawPreview } from "../support/preview.ts";

/*
 * A rule that meets something unknown is advisory for the rest of a preview, whatever its level. These run the
 * program as a first preview does, in which no object exists yet.
 */

const STACK = "prod";
const proxy = unknownCheckingProxy as (props: Json) => Json;

test.each(["inputs", "nothing"] as const)(
    "no rule is undecided in a first preview if the provider returns %s",
    async (outputs) => {
        const resources = await rawPreview(STACK, outputs);
        const objects = resources.flatMap(({ type, props, urn }) =>
            resourceToObjects(type, proxy(props), urn),
        );
        const { rules } = runRules(RULES, readStackPolicies(STACK), objects);
        const undecided = rules.filter((one) => one.undecided.length > 0);
        const names = undecided.map(({ rule }) => rule.name);
        // What the provider does: https://github.com/pulumi/pulumi-kubernetes answers a preview with the inputs.
        if (outputs === "inputs") expect(names).toEqual([]);
        // Were every output unknown, what is about one object alone would be decided all the same.
        else
            expect(
                undecided
                    .filter(({ rule }) => rule.scope === "object")
                    .map(({ rule }) => rule.name),
            ).toEqual([]);
    },
);
