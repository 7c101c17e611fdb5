import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { propertyRuns } from "../../../tests/support/property.ts";
import { configOf } from "../../engine/config.ts";
import type { Rule } from "../../engine/rule.ts";
import { isJson, objectsOf, type Json } from "../../kubernetes/object.ts";
import { podOf } from "../../kubernetes/pods.ts";
import { outcomeOf, said } from "./describeRule.ts";
import { deployment } from "./manifests.ts";

/** What holds of every remedy, shown of one for any pod. */
export function describeRemedy(
    rule: Rule,
    {
        pods,
        settings = {},
        left = [],
    }: {
        /** Specs of pods, right and wrong. */
        readonly pods: fc.Arbitrary<Json>;
        readonly settings?: Json;
        /** What may still be found afterwards, since no remedy of it is safe. */
        readonly left?: readonly RegExp[];
    },
): void {
    const remedied = (spec: Json): Json => {
        // Not structuredClone: its objects are of another realm than Jest's.
        const copy = JSON.parse(JSON.stringify(deployment(spec))) as Json;
        const [pod] = objectsOf(copy).map(podOf);
        if (!pod || !rule.remedy) throw new Error(`${rule.name} has no remedy`);
        rule.remedy(pod, configOf(rule, settings).settings as never);
        return pod.spec as unknown as Json;
    };

    describe(`the remedy of ${rule.name}`, () => {
        test("leaves nothing to find but what is not safe to set", () => {
            fc.assert(
                fc.property(pods, (spec) => {
                    const objects = [deployment(remedied(spec))];
                    const found = said(outcomeOf(rule, { objects, settings }));
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

        test("keeps what is set", () => {
            fc.assert(
                fc.property(pods, (spec) => {
                    expect(keeps(remedied(spec), spec)).toBe(true);
                }),
                propertyRuns(),
            );
        });
    });
}

/** Whether everything that stands in `before` stands in `after`. */
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
