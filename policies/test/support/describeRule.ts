import { describe, expect, test } from "@jest/globals";
import { parseRuleConfig, type Exemption } from "../../engine/config.ts";
import { evaluate, type Outcome } from "../../engine/evaluate.ts";
import { formatHeadline, formatMessage } from "../../engine/message.ts";
import type { Rule } from "../../engine/rule.ts";
import { toObjects, type Json } from "../../kubernetes/object.ts";
import { UnknownValueError, unknownCheckingProxy } from "./unknowns.ts";

export interface Case {
    /** Everything that is there. */
    readonly objects: readonly Json[];
    /** Thresholds other than the defaults. */
    readonly settings?: Json;
}

export interface Violating extends Case {
    /** Headlines, whole. */
    readonly says: readonly string[];
}

export interface Cases {
    readonly compliant: Readonly<Record<string, Case>>;
    readonly violating: Readonly<Record<string, Violating>>;
    /** Fields that it cannot do without, as paths into the objects of one of its cases, such as `0/spec/replicas`. */
    readonly needs: { readonly case: string; readonly fields: readonly string[] };
    /** Fields that are none of its business: unknown or not, it decides. */
    readonly ignores: { readonly case: string; readonly fields: readonly string[] };
}

/** Not declared by the SDK, though exported. */
const proxy = unknownCheckingProxy as (objects: readonly Json[]) => readonly Json[];

/** As the SDK marks what a preview cannot know. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const NOW = new Date("2026-06-15T12:00:00Z");

/** What holds of every rule, shown of one: what it says, raw and in a preview, of the unknown, and of exemptions. */
export function describeRule(rule: Rule, cases: Cases): void {
    const all: Readonly<Record<string, Case>> = { ...cases.compliant, ...cases.violating };
    const named = (name: string): Case => {
        const one = all[name];
        if (!one) throw new Error(`no case "${name}"`);
        return one;
    };

    describe(rule.name, () => {
        test.each(Object.entries(cases.compliant))("is content with %s", (_, one) => {
            expect(messagesOf(outcomeOf(rule, one))).toEqual([]);
            expect(messagesOf(outcomeOf(rule, one, { proxied: true }))).toEqual([]);
        });

        test.each(Object.entries(cases.violating))("finds %s", (_, one) => {
            expect(messagesOf(outcomeOf(rule, one))).toEqual(one.says);
            expect(messagesOf(outcomeOf(rule, one, { proxied: true }))).toEqual(one.says);
        });

        test("decides nothing without what it needs", () => {
            for (const field of cases.needs.fields) {
                const one = withUnknown(named(cases.needs.case), field);
                const outcome = outcomeOf(rule, one, { proxied: true });
                expect([field, outcome.undecided]).toEqual([
                    field,
                    expect.arrayContaining([expect.any(UnknownValueError)]),
                ]);
            }
        });

        test("decides whatever else is unknown", () => {
            const one = named(cases.ignores.case);
            const before = outcomeOf(rule, one);
            for (const field of cases.ignores.fields) {
                const after = outcomeOf(rule, withUnknown(one, field), { proxied: true });
                expect([field, after.undecided]).toEqual([field, []]);
                expect(after.violations).toHaveLength(before.violations.length);
            }
        });

        test.each(Object.entries(all))(
            "takes nothing unknown for wrong, nor for right: %s",
            (_, one) => {
                const before = outcomeOf(rule, one).violations.length;
                for (const field of fieldsOf(one.objects)) {
                    const unknown = withUnknown(one, field);
                    const after = outcomeOf(rule, unknown, { proxied: true });
                    const count = after.violations.length;
                    const decided = after.undecided.length === 0;
                    expect([field, count > before]).toEqual([field, false]);
                    expect([field, count < before && decided]).toEqual([field, false]);
                }
            },
        );

        test.each(Object.entries(cases.violating))("may be exempted from: %s", (_, one) => {
            const exemption = (more: Partial<Exemption>): Exemption => ({
                reason: "a reason that says why",
                expires: "2026-06-15",
                ...more,
            });
            const exempt = (more: Partial<Exemption>) =>
                outcomeOf(rule, one, { exempt: [exemption(more)] });

            expect(messagesOf(exempt({ workload: "no-such-*" }))).toEqual(one.says);
            expect(messagesOf(exempt({ namespace: "no-such-*" }))).toEqual(one.says);
            expect(messagesOf(exempt({ container: "no-such-*" }))).toEqual(one.says);
            const holds = exempt({ workload: "*", namespace: "*" });
            expect(messagesOf(holds)).toEqual([]);
            expect(holds.exempt.map(formatHeadline)).toEqual(one.says);
            const over = exempt({ workload: "*", expires: "2026-06-14" });
            expect(messagesOf(over)).toEqual(one.says);
            for (const violation of over.violations) {
                expect(formatMessage(violation)).toContain(
                    "exemption expired on 2026-06-14: a reason",
                );
            }
        });

        test("says why, and how to mend it", () => {
            for (const one of Object.values(cases.violating)) {
                for (const violation of outcomeOf(rule, one).violations) {
                    expect(violation.finding.fix).toBeDefined();
                    expect(formatMessage(violation)).toMatch(/\nWhy: .+\nFix:\n {4}\S/);
                }
            }
        });
    });
}

export function outcomeOf(
    rule: Rule,
    { objects, settings = {} }: Case,
    { proxied = false, exempt = [] as readonly Exemption[] } = {},
): Outcome {
    const seen = proxied ? proxy(objects) : objects;
    const config = parseRuleConfig(rule, { ...settings, exempt: [...exempt] });
    return evaluate(rule, config, seen.flatMap(toObjects), { now: NOW });
}

export function messagesOf({ violations }: Outcome): string[] {
    return violations.map(formatHeadline);
}

function withUnknown(one: Case, field: string): Case {
    // Not structuredClone: its objects are of another realm than Jest's, and the SDK takes them for no objects.
    const objects = JSON.parse(JSON.stringify(one.objects)) as Json[];
    const path = field.split("/").map((key) => key.replaceAll("~1", "/"));
    const last = path.pop() ?? "";
    const parent = path.reduce<unknown>((value, key) => (value as Json)[key], objects);
    if (typeof parent !== "object" || parent === null || !(last in parent)) {
        throw new Error(`the case has no ${field}`);
    }
    (parent as Record<string, unknown>)[last] = UNKNOWN;
    return { ...one, objects };
}

/** Every field but an object's kind, which a resource's type tells; a `/` in a key is `~1`, as in JSON Pointer. */
function fieldsOf(objects: readonly Json[]): string[] {
    const walk = (value: unknown, path: string): string[] => {
        if (typeof value !== "object" || value === null) return [];
        return Object.entries(value).flatMap(([key, child]) => {
            const name = key.replaceAll("/", "~1");
            const here = path === "" ? name : `${path}/${name}`;
            return [here, ...walk(child, here)];
        });
    };
    return walk(objects, "").filter((field) => !/^\d+(\/(kind|apiVersion))?$/.test(field));
}
