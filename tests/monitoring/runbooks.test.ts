import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { ruleFiles, RUNBOOKS } from "../../components/monitoring/alerts/index.ts";

const folder = join(import.meta.dirname, "../..", RUNBOOKS);
const alerts = Object.values(ruleFiles()).flatMap(({ groups }) =>
    groups.flatMap(({ rules }) => rules.flatMap((rule) => ("alert" in rule ? [rule] : []))),
);
const OPERATIONS = ["README.md", "release.md", "redis.md", "secrets.md", "volumes.md"];
const read = (page: string) => readFileSync(join(folder, page), "utf8");

describe("runbooks", () => {
    test("exist for each alert and operation, and for nothing else", () => {
        const pages = readdirSync(folder).filter((page) => !OPERATIONS.includes(page));
        expect(pages.sort()).toEqual(alerts.map(({ alert }) => `${alert}.md`).sort());
    });

    test.each(alerts.map(({ alert }) => alert))(
        "%s: meaning, impact, diagnosis, mitigation",
        (name) => {
            const page = read(`${name}.md`);
            expect(page.match(/^## .*$/gm)).toEqual(["## Impact", "## Diagnosis", "## Mitigation"]);
            const [meaning, impact, diagnosis, mitigation] = page.split(/\n## .*\n/);
            expect(meaning).toMatch(new RegExp(`^# ${name}\n\n\\w.{40,}`, "s"));
            expect(impact).toMatch(/^\n\w.{10,}/s);
            expect(diagnosis).toMatch(/^\n- ./);
            // A command, a query, a page of Prometheus, or the page that has them.
            expect(diagnosis).toMatch(/`[^`]+`|\]\([A-Z]\w+\.md\)/);
            expect(mitigation).toMatch(/^\n- ./);
        },
    );

    test("are in the index with severity and duration", () => {
        const index = read("README.md");
        for (const { alert, labels, for: time = "at once" } of alerts) {
            expect(index).toContain(
                `\n- [${alert}](${alert}.md) (${labels.severity ?? ""}, ${time}): `,
            );
        }
    });

    test("link only to existing pages", () => {
        for (const page of readdirSync(folder)) {
            for (const [, link = ""] of read(page).matchAll(/\]\(([^)#]+)/g)) {
                expect(() => readFileSync(join(folder, link))).not.toThrow();
            }
        }
    });

    test("name only series that the rules record", () => {
        const recorded = new Set(
            Object.values(ruleFiles()).flatMap(({ groups }) =>
                groups.flatMap(({ rules }) =>
                    rules.flatMap((rule) => ("record" in rule ? [rule.record] : [])),
                ),
            ),
        );
        for (const page of readdirSync(folder)) {
            for (const [name] of read(page).matchAll(
                /\b(service|colour|pod|certificate):[\w:]+/g,
            )) {
                expect([...recorded]).toContain(name);
            }
        }
    });
});
