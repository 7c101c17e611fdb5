import { hasInvalidFields } from "../kubernetes/fields.ts";
import { isUnknown, type KubernetesObject } from "../kubernetes/object.ts";
import { Stack } from "../kubernetes/stack.ts";
import type { Exemption, RuleConfig } from "./config.ts";
import { findExemption, hasExpired } from "./exemptions.ts";
import type { Finding, Rule } from "./rule.ts";

/** A finding with its location. */
export interface Violation {
    readonly rule: Rule;
    readonly object: KubernetesObject;
    readonly container: string | undefined;
    /** Full path, such as `spec.template.spec.containers[service].readinessProbe`. */
    readonly path: string;
    readonly finding: Finding;
    /** A matching exemption, which may have expired. */
    readonly exemption: Exemption | undefined;
}

export interface Outcome {
    readonly violations: readonly Violation[];
    readonly exempt: readonly Violation[];
    /** Places whose values a preview does not know yet. */
    readonly undecided: readonly Error[];
}

/**
 * Evaluates a rule for objects. An unknown value makes only its own place undecided.
 *
 * @param stack all objects of the stack
 */
export function evaluate(
    rule: Rule,
    { exempt: exemptions, settings }: RuleConfig,
    objects: readonly KubernetesObject[],
    { stack = new Stack(objects), now = new Date() } = {},
): Outcome {
    const violations: Violation[] = [];
    const exempt: Violation[] = [];
    const undecided: Error[] = [];
    for (const object of objects) {
        attempt(object, () => {
            for (const { findings, path: base, ...subject } of rule.subjects(object)) {
                attempt(object, () => {
                    for (const finding of findings(settings as never, stack)) {
                        if (object.isPatch && finding.isMissing) continue;
                        const container = finding.container ?? subject.container;
                        const exemption = findExemption(exemptions, { object, container });
                        const path = [base, finding.path].filter((part) => part !== "").join(".");
                        const violation = { rule, object, container, path, finding, exemption };
                        const isExempt = exemption && !hasExpired(exemption, now);
                        (isExempt ? exempt : violations).push(violation);
                    }
                });
            }
        });
    }
    return { violations, exempt, undecided };

    function attempt(object: KubernetesObject, read: () => void): void {
        try {
            read();
        } catch (error) {
            // A field of the wrong type, which the rule `fields` reports.
            const isMalformed = error instanceof TypeError && hasInvalidFields(object);
            if (!isMalformed && !isUnknown(error)) throw error;
            undecided.push(error);
        }
    }
}
