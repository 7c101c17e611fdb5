import { beforeAll, describe, expect, test } from "@jest/globals";

import { ruleFiles } from "../../components/monitoring/alerts/index.ts";
import { alertSpecs, runSpecs } from "../support/monitoring/alertSpecs.ts";

const specs = alertSpecs();
let output = "";
let failed: ReadonlySet<string> = new Set();

beforeAll(async () => {
    ({ output, failed } = await runSpecs(specs));
}, 240_000);

describe("every alert", () => {
    test("has cases", () => {
        const alerts = Object.values(ruleFiles()).flatMap(({ groups }) =>
            groups.flatMap(({ rules }) =>
                rules.flatMap((rule) => ("alert" in rule ? [rule.alert] : [])),
            ),
        );
        expect(specs.map(({ alert }) => alert.alert).sort()).toEqual(alerts.sort());
    });

    test("is understood by promtool, case by case", () => {
        const suites = specs.reduce((sum, { suites: { length } }) => sum + length, 0);
        expect(output.match(/^Unit Testing: /gm)).toHaveLength(suites);
        expect(output).not.toMatch(/parse error|no such file|error executing|invalid/);
    });

    test.each(specs.map((one) => [one.alert.alert, one] as const))(
        "%s fires and resolves as its cases say",
        (name) => {
            expect(failed.has(name) ? failures(name) : "").toBe("");
        },
    );

    test.each(specs.map((one) => [one.alert.alert, one] as const))(
        "%s has whole labels and texts",
        (_, { alert, rendered }) => {
            const [printed = ""] =
                new RegExp(
                    `alertname: ${rendered},[^]*?(?=\\n\\s*(?:alertname|expr|name): |$)`,
                ).exec(output) ?? [];
            expect(printed).toContain("Annotations:{");
            for (const label of ["severity", "service", "namespace", "topic"]) {
                expect(printed).toMatch(new RegExp(`[{ ]${label}="[^"{]+"`));
            }
            if (alert.labels.service === "embedding-service") {
                expect(printed).toMatch(/[{ ]colour="(blue|green|all)"/);
            }
            for (const text of ["summary", "description", "runbook_url"]) {
                expect(printed).toMatch(new RegExp(`[{ ]${text}="[^"]{10,}`));
            }
            expect(printed).not.toMatch(/<no value>|<error|%!|\{\{/);
            expect(printed).not.toMatch(/\b(of|in|for|to) (,|\.|\(\)|is |has |fails)/);
        },
    );
});

/** @returns what promtool says of the alert itself, and not of its mutants. */
function failures(name: string): string {
    const failure = new RegExp(`expr: .*alertname=\\\\?"${name}\\\\?".*\\n.*\\n.*\\n`, "g");
    return (output.match(failure) ?? []).join("");
}
