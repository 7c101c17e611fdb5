import { beforeAll, describe, expect, test } from "@jest/globals";

import { ruleFiles } from "../../components/monitoring/alerts/index.ts";
import { CERTIFICATE_CASES } from "./cases/certificates.ts";
import { MONEY_CASES, MONEY_THRESHOLDS } from "./cases/money.ts";
import { OBJECTIVE_CASES } from "./cases/objectives.ts";
import { PLATFORM_CASES } from "./cases/platform.ts";
import { REDIS_CASES } from "./cases/redis.ts";
import { SERVICE_CASES } from "./cases/service.ts";
import { trial } from "./support/cases.ts";
import { testRules } from "./support/promtool.ts";

const TABLES = [
    SERVICE_CASES,
    MONEY_CASES,
    OBJECTIVE_CASES,
    REDIS_CASES,
    CERTIFICATE_CASES,
    PLATFORM_CASES,
];
const trials = TABLES.flatMap((table) =>
    Object.entries(table).map(([name, cases]) =>
        trial(name, cases, table === MONEY_CASES ? MONEY_THRESHOLDS : undefined),
    ),
);

/** Two runs side by side over all alerts; what promtool finds wrong names the alert or the mutant. */
let output = "";
const failed = new Set<string>();

beforeAll(async () => {
    const halves = [0, 1].map((half) =>
        trials.filter((_, index) => index % 2 === half).flatMap(({ suites }) => suites),
    );
    const outcomes = await Promise.all(halves.map(testRules));
    output = outcomes.map((one) => one.output).join("\n");
    for (const [, name] of output.matchAll(/expr: .*?alertname=\\?"(\w+)\\?"/g)) {
        if (name !== undefined) failed.add(name);
    }
}, 240_000);

describe("every alert", () => {
    test("has cases", () => {
        const alerts = Object.values(ruleFiles()).flatMap(({ groups }) =>
            groups.flatMap(({ rules }) =>
                rules.flatMap((rule) => ("alert" in rule ? [rule.alert] : [])),
            ),
        );
        expect(trials.map(({ alert }) => alert.alert).sort()).toEqual(alerts.sort());
    });

    test("is understood by promtool, case by case", () => {
        const suites = trials.reduce((sum, { suites: { length } }) => sum + length, 0);
        expect(output.match(/^Unit Testing: /gm)).toHaveLength(suites);
        expect(output).not.toMatch(/parse error|no such file|error executing|invalid/);
    });

    test.each(trials.map((one) => [one.alert.alert, one] as const))(
        "%s fires and resolves as its cases say",
        (name) => {
            expect(failed.has(name) ? failures(name) : "").toBe("");
        },
    );

    test.each(trials.map((one) => [one.alert.alert, one] as const))(
        "%s has a case that each of its mutants fails",
        (_, { mutants }) => {
            const survivors = [...mutants].filter(([name]) => !failed.has(name));
            expect(survivors.map(([, what]) => what)).toEqual([]);
        },
    );

    test.each(trials.map((one) => [one.alert.alert, one] as const))(
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
    const said = new RegExp(`expr: .*alertname=\\\\?"${name}\\\\?".*\\n.*\\n.*\\n`, "g");
    return (output.match(said) ?? []).join("");
}
