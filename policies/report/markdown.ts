import type { Violation } from "../engine/evaluate.ts";
import { describeExpiry } from "../engine/exemptions.ts";
import { formatHeadline, formatFix } from "../engine/message.ts";
import {
    findAdvisories,
    findExpiring,
    findExpired,
    findFailures,
    type Run,
} from "../engine/run.ts";

/** Formats a comment for a pull request; advisories and exemptions are collapsed. */
export function markdownReport(run: Run, subject: string): string {
    const failures = findFailures(run);
    const advisories = findAdvisories(run);
    const exempt = run.rules.flatMap((one) => one.exempt);
    const expired = findExpired(run);
    const hasFailed = failures.length + expired.length > 0;
    return [
        `### ${hasFailed ? "❌" : "✅"} Policies for ${subject}`,
        "",
        `${run.rules.length} rules, ${run.objects} objects: ${failures.length} mandatory, ${advisories.length} advisory, ${exempt.length} exempt.`,
        "",
        ...failures.map(formatViolation),
        ...expired.map(
            ({ rule, exemption }) =>
                `- An exemption from **${rule.name}** expired on ${exemption.expires}: ${exemption.reason}`,
        ),
        ...findExpiring(run).map(
            ({ rule, exemption }) =>
                `- ⚠️ An exemption from **${rule.name}** ${describeExpiry(exemption, run.now)} ${exemption.expires}: ${exemption.reason}`,
        ),
        ...formatDetails("Advisory", advisories.map(formatViolation)),
        ...formatDetails("Exempt", exempt.map(formatExempt)),
        "",
    ].join("\n");
}

function formatViolation(violation: Violation): string {
    const { rule, finding } = violation;
    const lines = [
        `- **[${rule.name}](${rule.url})** ${formatHeadline(violation)}  `,
        `  ${rule.why}`,
    ];
    if (finding.fix !== undefined) {
        lines.push("  ```yaml", formatFix(finding.fix).replaceAll(/^/gm, "  "), "  ```");
    }
    return lines.join("\n");
}

function formatExempt(violation: Violation): string {
    const { expires = "", reason = "" } = violation.exemption ?? {};
    return `- **${violation.rule.name}** ${formatHeadline(violation)}: until ${expires}, ${reason}`;
}

function formatDetails(title: string, items: readonly string[]): string[] {
    if (items.length === 0) return [];
    const summary = `<summary>${title} (${items.length})</summary>`;
    return ["", "<details>", summary, "", ...items, "", "</details>"];
}
