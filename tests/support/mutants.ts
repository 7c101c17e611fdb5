import { expect } from "@jest/globals";
import { parseRuleConfig } from "../../policies/engine/config.ts";
import { evaluate } from "../../policies/engine/evaluate.ts";
import { formatHeadline } from "../../policies/engine/message.ts";
import { createMutants } from "../../policies/mutations/mutation.ts";
import { toObjects } from "../../policies/kubernetes/object.ts";
import { MUTATIONS } from "../../policies/rules/mutations.ts";
import { RULES } from "../../policies/rules/index.ts";
import { readStackPolicies } from "../../policies/stacks.ts";
import { render } from "./stacks.ts";

const FEWEST = 150;

/** Gives the stack one fault at a time; the rule that claims a fault has to find it. */
export async function expectMutantsFound(stack: string): Promise<void> {
    const { manifests } = await render({ stack });
    const policies = readStackPolicies(stack);
    const missed: string[] = [];
    const headlines = new Set<string>();
    let count = 0;
    for (const { name, claimedBy, objects } of createMutants(MUTATIONS, manifests)) {
        const rule = RULES.find((one) => one.name === claimedBy);
        if (!rule) throw new Error(`there is no rule ${claimedBy}`);
        const config = parseRuleConfig(rule, policies[claimedBy]);
        const { violations } = evaluate(rule, config, objects.flatMap(toObjects));
        if (violations.length === 0) missed.push(`${claimedBy} ${name}`);
        for (const violation of violations) headlines.add(formatHeadline(violation));
        count += 1;
    }
    expect(missed).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(FEWEST);
    // Different faults have findings of their own.
    expect(headlines.size).toBeGreaterThan(count / 2);
}
