import { stringify } from "yaml";
import type { Violation } from "./evaluate.ts";

/** What and where, in one line: the same words that the API server's admission refuses an object with. */
export function headline(violation: Violation): string {
    const { where, what, path } = headlineParts(violation);
    return `${where}: ${what} (${path})`;
}

export function headlineParts({ object, container, path, finding }: Violation) {
    const inside = container === undefined ? "" : `, container ${container}`;
    return { where: `${object.kind} ${object.label}${inside}`, what: finding.what, path };
}

/** What, where, why, and how to mend it. */
export function message(violation: Violation): string {
    const { rule, finding, exemption } = violation;
    const lines = [headline(violation), `Why: ${rule.why}`];
    if (finding.fix !== undefined) lines.push("Fix:", indent(snippet(finding.fix)));
    if (exemption) {
        const { expires, reason } = exemption;
        lines.push(`Its exemption expired on ${expires}: ${reason}`);
    }
    return lines.join("\n");
}

/** @param fix text as it is, anything else as YAML */
export function snippet(fix: unknown): string {
    return typeof fix === "string" ? fix : stringify(fix, { lineWidth: 0 }).trimEnd();
}

function indent(text: string): string {
    return text.replaceAll(/^(?=.)/gm, "    ");
}
