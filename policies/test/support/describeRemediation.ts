import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { propertyRuns } from "../../../tests/support/property.ts";
import { parseRuleConfig } from "../../engine/config.ts";
import type { Rule } from "../../engine/rule.ts";
import { isJson, toObjects, type Json } from "../../kubernetes/object.ts";
import { getPod } from "../../kubernetes/pods.ts";
import { outcomeOf, messagesOf } from "./describeRule.ts";
import { deployment } from "./manifests.ts";

/** Tests the properties of every remediation for arbitrary pods. */
export function describeRemediation(
    rule: Rule,
    {
        pods,
        settings = {},
        left = [],
    }: {
        /** Specs of pods, right and wrong. */
        readonly pods: fc.Arbitrary<Json>;
        readonly settings?: Json;
        /** Violations that may remain, since no remediation is safe. */
        readonly left?: readonly RegExp[];
    },
): void {
    const remedied = (spec: Json): Json => {
        // Not structuredClone: its objects are of another realm than Jest's.
        const copy = JSON.parse(JSON.stringify(deployment(spec))) as Json;
        const [pod] = toObjects(copy).map(getPod);
        if (!pod || !rule.remediate) throw new Error(`${rule.name} has no remediation`);
        rule.remediate(pod, parseRuleConfig(rule, settings).settings as never);
        return pod.spec as unknown as Json;
    };

    describe(`remediation by ${rule.name}`, () => {
        test("leaves only violations that are not safe to remediate", () => {
            fc.assert(
                fc.property(pods, (spec) => {
                    const objects = [deployment(remedied(spec))];
                    const found = messagesOf(outcomeOf(rule, { objects, settings }));
                    expect(found.filter((one) => !left.some((is) => is.test(one)))).toEqual([]);
                }),
                propertyRuns(),
            );
        });

        test("twice is as once", () => {
            fc.assert(
                fc.property(pods, (spec) => {
                    const once = remedied(spec);
                    expect(remedied(once)).toEqual(once);
                }),
                propertyRuns(),
            );
        });

        test("keeps existing values", () => {
            fc.assert(
                fc.property(pods, (spec) => {
                    expect(keeps(remedied(spec), spec)).toBe(true);
                }),
                propertyRuns(),
            );
        });
    });
}

/** Whether `after` contains everything in `before`. */
function keeps(after: unknown, before: unknown): boolean {
    if (Array.isArray(before)) {
        const same = Array.isArray(after) && after.length === before.length;
        return same && before.every((item, index) => keeps(after[index], item));
    }
    if (isJson(before)) {
        return (
            isJson(after) &&
            Object.entries(before).every(([key, value]) => keeps(after[key], value))
        );
    }
    return after === before;
}
