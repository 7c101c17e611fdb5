import type { KubernetesObject } from "../kubernetes/object.ts";
import { Stack } from "../kubernetes/stack.ts";
import {
    parseStackPolicies,
    type Exemption,
    type RuleConfig,
    type StackPolicies,
} from "./config.ts";
import { evaluate, type Outcome, type Violation } from "./evaluate.ts";
import { hasExpired, isExpiringSoon } from "./exemptions.ts";
import type { Rule } from "./rule.ts";

/** Result of one rule for all objects. */
export interface RuleRun extends Outcome {
    readonly rule: Rule;
    readonly config: RuleConfig;
    readonly milliseconds: number;
}

export interface Run {
    readonly rules: readonly RuleRun[];
    readonly objects: number;
    readonly now: Date;
}

export interface RuleExemption {
    readonly rule: Rule;
    readonly exemption: Exemption;
}

/**
 * Runs every enabled rule on all objects.
 *
 * @throws ConfigError if the stack's policies are invalid
 */
export function runRules(
    rules: readonly Rule[],
    policies: StackPolicies,
    objects: readonly KubernetesObject[],
    now = new Date(),
): Run {
    const stack = new Stack(objects);
    const runs = [...parseStackPolicies(rules, policies)]
        .filter(([, { level }]) => level !== "disabled")
        .map(([rule, config]) => {
            const start = performance.now();
            const outcome = evaluate(rule, config, objects, { stack, now });
            return { rule, config, ...outcome, milliseconds: performance.now() - start };
        });
    return { rules: runs, objects: objects.length, now };
}

/** @returns violations of mandatory rules, which block a deployment. */
export function findFailures({ rules }: Run): Violation[] {
    return rules.flatMap(({ config, violations }) =>
        config.level === "advisory" ? [] : violations,
    );
}

export function findAdvisories({ rules }: Run): Violation[] {
    return rules.flatMap(({ config, violations }) =>
        config.level === "advisory" ? violations : [],
    );
}

/** @returns expired exemptions, which fail even if they match nothing. */
export function findExpired({ rules, now }: Run): RuleExemption[] {
    return listExemptions(rules).filter(({ exemption }) => hasExpired(exemption, now));
}

/** @returns exemptions that expire soon. */
export function findExpiring({ rules, now }: Run): RuleExemption[] {
    return listExemptions(rules).filter(({ exemption }) => isExpiringSoon(exemption, now));
}

/** @returns exemptions that match nothing: their violation is fixed, or their globs are wrong. */
export function findUnused({ rules }: Run): RuleExemption[] {
    const used = new Set(
        rules.flatMap(({ exempt, violations }) =>
            [...exempt, ...violations].map(({ exemption }) => exemption),
        ),
    );
    return listExemptions(rules).filter(({ exemption }) => !used.has(exemption));
}

function listExemptions(rules: readonly RuleRun[]): RuleExemption[] {
    return rules.flatMap(({ rule, config }) =>
        config.exempt.map((exemption) => ({ rule, exemption })),
    );
}
