import { stringify } from "yaml";
import type { Violation } from "./evaluate.ts";

/** Formats a violation in one line, with the same text as the admission policies. */
export function formatHeadline(violation: Violation): string {
    const { where, message, path } = headlineParts(violation);
    return `${where}: ${message} (${path})`;
}

export function headlineParts({ object, container, path, finding }: Violation) {
    const inside = container === undefined ? "" : `, container ${container}`;
    return { where: `${object.kind} ${object.label}${inside}`, message: finding.message, path };
}

/** Formats a violation with its reason and fix. */
export function formatMessage(violation: Violation): string {
    const { rule, finding, exemption } = violation;
    const lines = [formatHeadline(violation), `Why: ${rule.why}`];
    if (finding.fix !== undefined) lines.push("Fix:", indent(formatFix(finding.fix)));
    if (exemption) {
        const { expires, reason } = exemption;
        lines.push(`The exemption expired on ${expires}: ${reason}`);
    }
    return lines.join("\n");
}

/** Formats a fix: strings unchanged, other values as YAML. */
export function formatFix(fix: unknown): string {
    return typeof fix === "string" ? fix : stringify(fix, { lineWidth: 0 }).trimEnd();
}

function indent(text: string): string {
    return text.replaceAll(/^(?=.)/gm, "    ");
}
