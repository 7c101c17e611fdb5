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
            return `- \`${name}\`, default ${codeOf(Value.Default(schema, undefined))}: ${description}`;
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
        `${rule.title} ${rule.why}`,
        "",
        `Reference: [documentation](${rule.url})${source}.`,
        "",
        `Checks ${scope === "stack" ? "the whole stack" : "each object"}. ` +
            `Enforced at admission: ${admission ? enforced : notEnforced}.`,
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

/** @returns a value as code; the items of a list one by one, so that a line can break between them */
function codeOf(value: unknown): string {
    const code = (one: unknown) => `\`${JSON.stringify(one).replaceAll(",", ", ")}\``;
    return Array.isArray(value) && value.length > 1 ? value.map(code).join(", ") : code(value);
}
