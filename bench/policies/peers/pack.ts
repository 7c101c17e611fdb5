import path from "node:path";
import type { StackPolicies } from "../../../policies/engine/config.ts";
import { headline } from "../../../policies/engine/message.ts";
import { advicesOf, failuresOf, run } from "../../../policies/engine/run.ts";
import { objectsOf } from "../../../policies/kubernetes/object.ts";
import { RULES } from "../../../policies/rules/index.ts";
import type { Peer } from "../peer.ts";

const MAIN = path.resolve(import.meta.dirname, "../../../policies/main.ts");

/** As each stack sets it. */
export const pack = peer("this pack", (policies) => policies);

/** As it is for who sets nothing, which is how the others are asked. */
export const packUnset = peer("this pack, nothing set", () => ({}));

function peer(name: string, setOf: (policies: StackPolicies) => StackPolicies): Peer {
    const checker = {
        version: "",
        rules: RULES.length,
        check: (objects: readonly unknown[], policies: StackPolicies) => {
            const result = run(RULES, setOf(policies), objects.flatMap(objectsOf));
            const reports = (fails: boolean, violations: ReturnType<typeof failuresOf>) =>
                violations.map((one) => ({ rule: one.rule.name, at: headline(one), fails }));
            return Promise.resolve([
                ...reports(true, failuresOf(result)),
                ...reports(false, advicesOf(result)),
            ]);
        },
        command: (file: string) => [process.execPath, MAIN, "check", file] as const,
        close: () => undefined,
    };
    return { name, open: () => Promise.resolve(checker) };
}
