import path from "node:path";
import type { StackPolicies } from "../../../policies/engine/config.ts";
import { formatHeadline } from "../../../policies/engine/message.ts";
import { findAdvisories, findFailures, runRules } from "../../../policies/engine/run.ts";
import { toObjects } from "../../../policies/kubernetes/object.ts";
import { RULES } from "../../../policies/rules/index.ts";
import type { Peer } from "../peer.ts";

const MAIN = path.resolve(import.meta.dirname, "../../../policies/main.ts");

/** With the configuration of each stack. */
export const pack = peer("this pack", (policies) => policies);

/** Without configuration, like the other packs. */
export const packWithDefaults = peer("this pack, defaults", () => ({}));

function peer(name: string, configure: (policies: StackPolicies) => StackPolicies): Peer {
    const checker = {
        version: "",
        rules: RULES.length,
        check: (objects: readonly unknown[], policies: StackPolicies) => {
            const result = runRules(RULES, configure(policies), objects.flatMap(toObjects));
            const reports = (fails: boolean, violations: ReturnType<typeof findFailures>) =>
                violations.map((one) => ({ rule: one.rule.name, at: formatHeadline(one), fails }));
            return Promise.resolve([
                ...reports(true, findFailures(result)),
                ...reports(false, findAdvisories(result)),
            ]);
        },
        command: (file: string) => [process.execPath, MAIN, "check", file] as const,
        close: () => undefined,
    };
    return { name, start: () => Promise.resolve(checker) };
}
