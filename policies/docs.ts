import { Value } from "typebox/value";
import { configOf, schemaOf, type StackPolicies } from "./engine/config.ts";
import { evaluate } from "./engine/evaluate.ts";
import { message } from "./engine/message.ts";
import type { Rule } from "./engine/rule.ts";
import { mutantsOf } from "./faults/fault.ts";
import { objectsOf, type Json } from "./kubernetes/object.ts";
import { FAULTS } from "./rules/faults.ts";

/**
 * Creates the page about the rules, each with the message for a stack with one mutation.
 *
 * @param manifests of a stack without violations
 */
export function docsOf(
    rules: readonly Rule[],
    policies: StackPolicies,
    manifests: readonly Json[],
): string {
    const rows = rules.map(
        ({ name, level, severity, remedy, admission, unsaid }) =>
            `| [${name}](#${name}) | ${level} | ${severity} | ${remedy ? "yes" : ""} | ${admission ? (unsaid ? "partly" : "yes") : ""} |`,
    );
    return [
        "# Policies",
        "",
        "Generated from the rules by `make policies-docs`. [policies/README.md](../policies/README.md) explains how to run,",
        "exempt and add rules.",
        "",
        "| rule | level | severity | remediation | enforced at admission |",
        "|---|---|---|---|---|",
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
            const value = JSON.stringify(Value.Default(schema, undefined)).replaceAll(",", ", ");
            return fold(`- \`${name}\`, default \`${value}\`: ${description}`, "  ");
        });
    const { framework, admission, unsaid, scope } = rule;
    const enforced = unsaid === undefined ? "yes" : `yes, except ${unsaid}`;
    const notEnforced = `no: ${unsaid ?? "the API server checks one object at a time"}`;
    const source = framework
        ? `; ${framework.name} ${framework.version}, ${framework.specification}`
        : "";
    return [
        `## ${rule.name}`,
        "",
        fold(`${rule.title} ${rule.why}`),
        "",
        `Reference: [documentation](${rule.url})${source}.`,
        "",
        fold(
            `Checks ${scope === "stack" ? "the whole stack" : "each object"}. ` +
                `Enforced at admission: ${admission ? enforced : notEnforced}.`,
        ),
        "",
        ...(settings.length > 0 ? ["Settings:", "", ...settings, ""] : []),
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
    throw new Error(`no mutation violates ${rule.name}`);
}

/** Wraps text at 120 columns; `indent` precedes all lines but the first. */
function fold(text: string, indent = ""): string {
    const lines: string[] = [];
    for (const word of text.split(" ")) {
        const line = lines.at(-1);
        if (line !== undefined && line.length + 1 + word.length <= 120) {
            lines[lines.length - 1] = `${line} ${word}`;
        } else lines.push(lines.length === 0 ? word : `${indent}${word}`);
    }
    return lines.join("\n");
}
