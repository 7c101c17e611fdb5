import { Value } from "typebox/value";
import { parseRuleConfig, createSchema, type StackPolicies } from "./engine/config.ts";
import { evaluate } from "./engine/evaluate.ts";
import { formatMessage } from "./engine/message.ts";
import type { Rule } from "./engine/rule.ts";
import { createMutants } from "./mutations/mutation.ts";
import { toObjects, type Json } from "./kubernetes/object.ts";
import { MUTATIONS } from "./rules/mutations.ts";

/**
 * Creates the page about the rules, each with the message for a stack with one mutation.
 *
 * @param manifests of a stack without violations
 */
export function createDocs(
    rules: readonly Rule[],
    policies: StackPolicies,
    manifests: readonly Json[],
): string {
    const rows = rules.map(
        ({ name, level, severity, remediate, admission, admissionGap }) =>
            `| [${name}](#${name}) | ${level} | ${severity} | ${remediate ? "yes" : ""} | ${admission ? (admissionGap ? "partly" : "yes") : ""} |`,
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
        ...rules.flatMap((rule) => formatSection(rule, findExample(rule, policies, manifests))),
    ].join("\n");
}

function formatSection(rule: Rule, example: string): string[] {
    const { properties } = createSchema(rule);
    const settings = Object.entries(properties)
        .filter(([name]) => name !== "exempt")
        .map(([name, schema]) => {
            const { description = "" } = schema as { description?: string };
            const value = JSON.stringify(Value.Default(schema, undefined)).replaceAll(",", ", ");
            return fold(`- \`${name}\`, default \`${value}\`: ${description}`, "  ");
        });
    const { framework, admission, admissionGap, scope } = rule;
    const enforced = admissionGap === undefined ? "yes" : `yes, except ${admissionGap}`;
    const notEnforced = `no: ${admissionGap ?? "the API server checks one object at a time"}`;
    const source = framework
        ? `; ${framework.name} ${framework.version}, ${framework.specification}`
        : "";
    return [
        `## ${rule.name}`,
        "",
        fold(`${rule.title} ${rule.why}`),
        "",
        fold(`Reference: [documentation](${rule.url})${source}.`),
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

function findExample(rule: Rule, policies: StackPolicies, manifests: readonly Json[]): string {
    const faults = MUTATIONS.filter((fault) => fault.rule === rule.name);
    const config = parseRuleConfig(rule, policies[rule.name]);
    for (const { objects } of createMutants(faults, manifests)) {
        const [violation] = evaluate(rule, config, objects.flatMap(toObjects)).violations;
        if (violation) return formatMessage(violation);
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
