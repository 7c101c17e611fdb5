import { expect } from "@jest/globals";
import { configOf } from "../../policies/engine/config.ts";
import { evaluate } from "../../policies/engine/evaluate.ts";
import { headline } from "../../policies/engine/message.ts";
import { mutantsOf } from "../../policies/faults/fault.ts";
import { objectsOf } from "../../policies/kubernetes/object.ts";
import { FAULTS } from "../../policies/rules/faults.ts";
import { RULES } from "../../policies/rules/index.ts";
import { policiesOf } from "../../policies/stacks.ts";
import { render } from "./stacks.ts";

const FEWEST = 150;

/** Gives the stack one fault at a time; the rule that claims a fault has to find it. */
export async function findFaults(stack: string): Promise<void> {
    const { manifests } = await render({ stack });
    const policies = policiesOf(stack);
    const missed: string[] = [];
    const made = new Set<string>();
    let count = 0;
    for (const { name, claimedBy, objects } of mutantsOf(FAULTS, manifests)) {
        const rule = RULES.find((one) => one.name === claimedBy);
        if (!rule) throw new Error(`there is no rule ${claimedBy}`);
        const config = configOf(rule, policies[claimedBy]);
        const { violations } = evaluate(rule, config, objects.flatMap(objectsOf));
        if (violations.length === 0) missed.push(`${claimedBy} ${name}`);
        for (const violation of violations) made.add(headline(violation));
        count += 1;
    }
    expect(missed).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(FEWEST);
    // Different faults have findings of their own.
    expect(made.size).toBeGreaterThan(count / 2);
}
