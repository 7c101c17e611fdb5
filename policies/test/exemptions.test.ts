import { describe, expect, test } from "@jest/globals";
import { ending, isEnding } from "../engine/exemptions.ts";
import { run } from "../engine/run.ts";
import { objectsOf } from "../kubernetes/object.ts";
import { markdownReport } from "../report/markdown.ts";
import { textReport } from "../report/text.ts";
import { readinessProbe } from "../rules/readinessProbe/rule.ts";
import { container, deployment, podSpec } from "./support/manifests.ts";

const NOW = new Date("2026-06-15T23:59:59Z");
const exemption = (expires: string) => ({ reason: "a reason that says why", expires });

describe("an exemption", () => {
    test.each([
        ["2026-06-14", false, "in -1 days"],
        ["2026-06-15", true, "today"],
        ["2026-06-16", true, "in 1 day"],
        ["2026-07-15", true, "in 30 days"],
        ["2026-07-16", false, "in 31 days"],
    ])("until %s warns: %p", (expires, isWarned, words) => {
        expect(isEnding(exemption(expires), NOW)).toBe(isWarned);
        expect(ending(exemption(expires), NOW)).toBe(`expires ${words}, on`);
    });

    test.each([textReport, markdownReport])("is told 30 days before, in %p", (report) => {
        const objects = objectsOf(
            deployment(podSpec({}, container({ readinessProbe: undefined }))),
        );
        const reported = (expires: string) => {
            const policies = { "readiness-probe": { exempt: [exemption(expires)] } };
            return report(run([readinessProbe], policies, objects, NOW), "x").replaceAll(
                /\s+/g,
                " ",
            );
        };
        expect(reported("2026-07-15")).toContain("expires in 30 days, on 2026-07-15: a reason");
        expect(reported("2026-07-16")).not.toContain("expires in");
    });
});
