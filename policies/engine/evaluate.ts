import { hasFaultyFields } from "../kubernetes/fields.ts";
import { isUnknown, type KubernetesObject } from "../kubernetes/object.ts";
import { Stack } from "../kubernetes/stack.ts";
import type { Exemption, RuleConfig } from "./config.ts";
import { exemptionOf, hasExpired } from "./exemptions.ts";
import type { Finding, Rule } from "./rule.ts";

/** A finding and where it is. */
export interface Violation {
    readonly rule: Rule;
    readonly object: KubernetesObject;
    readonly container: string | undefined;
    /** Whole, such as `spec.template.spec.containers[service].readinessProbe`. */
    readonly path: string;
    readonly finding: Finding;
    /** One that covers it; it counts only until its day is over. */
    readonly exemption: Exemption | undefined;
}

export interface Outcome {
    readonly violations: readonly Violation[];
    readonly exempt: readonly Violation[];
    /** What a preview cannot know yet, one a place where the rule had to look. */
    readonly undecided: readonly Error[];
}

/**
 * Asks one rule of objects. A place where something is unknown is undecided, and hides no other.
 *
 * @param stack all objects, those among them
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
                        const exemption = exemptionOf(exemptions, { object, container });
                        const path = [base, finding.at].filter((part) => part !== "").join(".");
                        const violation = { rule, object, container, path, finding, exemption };
                        const holds = exemption && !hasExpired(exemption, now);
                        (holds ? exempt : violations).push(violation);
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
            // A field of another type than the API has: the rule `fields` names it.
            const isMalformed = error instanceof TypeError && hasFaultyFields(object);
            if (!isMalformed && !isUnknown(error)) throw error;
            undecided.push(error);
        }
    }
}
