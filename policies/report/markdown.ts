import type { Violation } from "../engine/evaluate.ts";
import { ending } from "../engine/exemptions.ts";
import { headline, snippet } from "../engine/message.ts";
import { advicesOf, endingOf, expiredOf, failuresOf, type Run } from "../engine/run.ts";

/** Formats a comment for a pull request; advisories and exemptions are collapsed. */
export function markdownReport(run: Run, subject: string): string {
    const failures = failuresOf(run);
    const advisories = advicesOf(run);
    const exempt = run.rules.flatMap((one) => one.exempt);
    const expired = expiredOf(run);
    const hasFailed = failures.length + expired.length > 0;
    return [
        `### ${hasFailed ? "❌" : "✅"} Policies for ${subject}`,
        "",
        `${run.rules.length} rules, ${run.objects} objects: ${failures.length} mandatory, ${advisories.length} advisory, ${exempt.length} exempt.`,
        "",
        ...failures.map(item),
        ...expired.map(
            ({ rule, exemption }) =>
                `- An exemption from **${rule.name}** expired on ${exemption.expires}: ${exemption.reason}`,
        ),
        ...endingOf(run).map(
            ({ rule, exemption }) =>
                `- ⚠️ An exemption from **${rule.name}** ${ending(exemption, run.now)} ${exemption.expires}: ${exemption.reason}`,
        ),
        ...folded("Advisory", advisories.map(item)),
        ...folded("Exempt", exempt.map(exemptItem)),
        "",
    ].join("\n");
}

function item(violation: Violation): string {
    const { rule, finding } = violation;
    const lines = [`- **[${rule.name}](${rule.url})** ${headline(violation)}  `, `  ${rule.why}`];
    if (finding.fix !== undefined) {
        lines.push("  ```yaml", snippet(finding.fix).replaceAll(/^/gm, "  "), "  ```");
    }
    return lines.join("\n");
}

function exemptItem(violation: Violation): string {
    const { expires = "", reason = "" } = violation.exemption ?? {};
    return `- **${violation.rule.name}** ${headline(violation)}: until ${expires}, ${reason}`;
}

function folded(title: string, items: readonly string[]): string[] {
    if (items.length === 0) return [];
    const summary = `<summary>${title} (${items.length})</summary>`;
    return ["", "<details>", summary, "", ...items, "", "</details>"];
}
