import type { KubernetesObject } from "../kubernetes/object.ts";
import { Stack } from "../kubernetes/stack.ts";
import { configsOf, type Exemption, type RuleConfig, type StackPolicies } from "./config.ts";
import { evaluate, type Outcome, type Violation } from "./evaluate.ts";
import { hasExpired, isEnding } from "./exemptions.ts";
import type { Rule } from "./rule.ts";

/** What one rule said of all objects. */
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

export interface SetExemption {
    readonly rule: Rule;
    readonly exemption: Exemption;
}

/**
 * Asks every rule that is not disabled of all objects.
 *
 * @throws ConfigError when the stack's policies are wrong
 */
export function run(
    rules: readonly Rule[],
    policies: StackPolicies,
    objects: readonly KubernetesObject[],
    now = new Date(),
): Run {
    const stack = new Stack(objects);
    const runs = [...configsOf(rules, policies)]
        .filter(([, { level }]) => level !== "disabled")
        .map(([rule, config]) => {
            const begun = performance.now();
            const outcome = evaluate(rule, config, objects, { stack, now });
            return { rule, config, ...outcome, milliseconds: performance.now() - begun };
        });
    return { rules: runs, objects: objects.length, now };
}

/** What has to be mended before anything is deployed: nothing may be left of these. */
export function failuresOf({ rules }: Run): Violation[] {
    return rules.flatMap(({ config, violations }) =>
        config.level === "advisory" ? [] : violations,
    );
}

export function advicesOf({ rules }: Run): Violation[] {
    return rules.flatMap(({ config, violations }) =>
        config.level === "advisory" ? violations : [],
    );
}

/** Exemptions whose day is over; they fail whether they still cover anything or not. */
export function expiredOf({ rules, now }: Run): SetExemption[] {
    return allOf(rules).filter(({ exemption }) => hasExpired(exemption, now));
}

/** Exemptions that will soon have expired. */
export function endingOf({ rules, now }: Run): SetExemption[] {
    return allOf(rules).filter(({ exemption }) => isEnding(exemption, now));
}

/** Exemptions that cover nothing: what they were for is mended, or their globs are wrong. */
export function unusedOf({ rules }: Run): SetExemption[] {
    const used = new Set(
        rules.flatMap(({ exempt, violations }) =>
            [...exempt, ...violations].map(({ exemption }) => exemption),
        ),
    );
    return allOf(rules).filter(({ exemption }) => !used.has(exemption));
}

function allOf(rules: readonly RuleRun[]): SetExemption[] {
    return rules.flatMap(({ rule, config }) =>
        config.exempt.map((exemption) => ({ rule, exemption })),
    );
}
