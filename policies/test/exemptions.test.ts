import { describe, expect, test } from "@jest/globals";
import { describeExpiry, isExpiringSoon } from "../engine/exemptions.ts";
import { runRules } from "../engine/run.ts";
import { toObjects } from "../kubernetes/object.ts";
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
        expect(isExpiringSoon(exemption(expires), NOW)).toBe(isWarned);
        expect(describeExpiry(exemption(expires), NOW)).toBe(`expires ${words}, on`);
    });

    test.each([textReport, markdownReport])(
        "is reported for 30 days before its expiry, in %p",
        (report) => {
            const objects = toObjects(
                deployment(podSpec({}, container({ readinessProbe: undefined }))),
            );
            const reported = (expires: string) => {
                const policies = { "readiness-probe": { exempt: [exemption(expires)] } };
                return report(runRules([readinessProbe], policies, objects, NOW), "x").replaceAll(
                    /\s+/g,
                    " ",
                );
            };
            expect(reported("2026-07-15")).toContain("expires in 30 days, on 2026-07-15: a reason");
            expect(reported("2026-07-16")).not.toContain("expires in");
        },
    );
});
