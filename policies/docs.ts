import { Value } from "typebox/value";
import { configOf, schemaOf, type StackPolicies } from "./engine/config.ts";
import { evaluate } from "./engine/evaluate.ts";
import { message } from "./engine/message.ts";
import type { Rule } from "./engine/rule.ts";
import { mutantsOf } from "./faults/fault.ts";
import { objectsOf, type Json } from "./kubernetes/object.ts";
import { FAULTS } from "./rules/faults.ts";

/**
 * The page about the rules, each with what it says of a stack in which one thing is wrong.
 *
 * @param manifests of a stack that violates nothing
 */
export function docsOf(
    rules: readonly Rule[],
    policies: StackPolicies,
    manifests: readonly Json[],
): string {
    const rows = rules.map(
        ({ name, title, level, severity, scope, remedy, admission, unsaid }, index) =>
            `| ${index + 1} | [${name}](#${name}) | ${title} | ${level} | ${severity} | ${scope === "stack" ? "whole stack" : "each object"} | ${remedy ? "yes" : ""} | ${admission ? (unsaid ? "in part" : "yes") : ""} |`,
    );
    return [
        "# Policies",
        "",
        "Generated from the rules by `make policies-docs`. How they are used, exempted and extended: [policies/README.md](../policies/README.md).",
        "",
        "| | rule | demands | level | severity | looks at | remedy | at admission |",
        "|---|---|---|---|---|---|---|---|",
        ...rows,
        "",
        ...rules.flatMap((rule) => section(rule, exampleOf(rule, policies, manifests))),
    ].join("\n");
}

function section(rule: Rule, example: string): string[] {
    const { properties } = schemaOf(rule);
    const settings = Object.entries(properties)
        .filter(([name]) => name !== "exempt")
        .map(([name, schema]) => {
            const { description = "" } = schema as { description?: string };
            return `| \`${name}\` | \`${JSON.stringify(Value.Default(schema, undefined))}\` | ${description} |`;
        });
    const { framework, admission, unsaid } = rule;
    const enforced = unsaid === undefined ? "all of it" : `all but ${unsaid}`;
    const nothing = unsaid ?? "since the API server sees one object at a time";
    return [
        `## ${rule.name}`,
        "",
        `${rule.title} ${rule.why}`,
        "",
        `[About it](${rule.url})${framework ? `; ${framework.name} ${framework.version}, ${framework.specification}` : ""}`,
        "",
        `At admission: ${admission ? enforced : `nothing, ${nothing}`}.`,
        "",
        ...(settings.length > 0
            ? ["| setting | default | |", "|---|---|---|", ...settings, ""]
            : []),
        "```text",
        example,
        "```",
        "",
    ];
}

function exampleOf(rule: Rule, policies: StackPolicies, manifests: readonly Json[]): string {
    const faults = FAULTS.filter((fault) => fault.rule === rule.name);
    const config = configOf(rule, policies[rule.name]);
    for (const { objects } of mutantsOf(faults, manifests)) {
        const [violation] = evaluate(rule, config, objects.flatMap(objectsOf)).violations;
        if (violation) return message(violation);
    }
    throw new Error(`no fault shows what ${rule.name} says`);
}
