import type { Violation } from "../engine/evaluate.ts";
import { ending } from "../engine/exemptions.ts";
import { snippet, headlineParts } from "../engine/message.ts";
import {
    advicesOf,
    endingOf,
    expiredOf,
    failuresOf,
    unusedOf,
    type Run,
    type SetExemption,
} from "../engine/run.ts";

const WIDTH = 80;

/** Formats a report for a terminal of 80 columns. */
export function textReport(run: Run, subject: string): string {
    const failures = failuresOf(run);
    const advisories = advicesOf(run);
    const exempt = run.rules.flatMap((one) => one.exempt);
    return [
        ...byRule("mandatory", failures),
        ...byRule("advisory", advisories),
        ...exempt.map((one) => exemptLine(one)),
        ...expiredOf(run).map((one) => exemptionLine(one, `expired on ${one.exemption.expires}`)),
        ...endingOf(run).map((one) =>
            exemptionLine(one, `${ending(one.exemption, run.now)} ${one.exemption.expires}`),
        ),
        ...unusedOf(run).map((one) => exemptionLine(one, "matches nothing")),
        summary(run, subject),
    ].join("\n");
}

/** Formats the milliseconds of each rule, slowest first. */
export function timesTable({ rules }: Run): string {
    const width = Math.max(...rules.map(({ rule }) => rule.name.length));
    const rows = [...rules].sort((one, other) => other.milliseconds - one.milliseconds);
    const total = rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    return [
        ...rows.map(({ rule, milliseconds }) => line(rule.name, milliseconds)),
        line("all rules", total),
    ].join("\n");

    function line(name: string, milliseconds: number): string {
        return `${name.padEnd(width)} ${milliseconds.toFixed(1).padStart(9)} ms`;
    }
}

function summary(run: Run, subject: string): string {
    const counts = [
        `${failuresOf(run).length} mandatory`,
        `${advicesOf(run).length} advisory`,
        `${run.rules.flatMap((one) => one.exempt).length} exempt`,
    ];
    const expired = expiredOf(run).length;
    if (expired > 0) counts.push(`${expired} expired`);
    const milliseconds = run.rules.reduce((sum, one) => sum + one.milliseconds, 0);
    const scope = `${run.rules.length} rules, ${run.objects} objects of ${subject}`;
    return `${scope}: ${counts.join(", ")}; ${(milliseconds / 1000).toFixed(2)} s`;
}

function* byRule(level: string, violations: readonly Violation[]): Generator<string> {
    const rules = new Set(violations.map(({ rule }) => rule));
    for (const rule of rules) {
        yield `${level}  ${rule.name}  (${rule.severity})`;
        yield field("", rule.title);
        yield field("why  ", rule.why);
        yield field("see  ", rule.url);
        for (const violation of violations.filter((one) => one.rule === rule)) {
            const { where, what, path } = headlineParts(violation);
            yield "";
            yield field("- ", `${where}: ${what}`);
            yield field("  at   ", path);
            yield* fix(violation);
        }
        yield "";
    }
}

function* fix({ finding, exemption }: Violation): Generator<string> {
    if (finding.fix !== undefined) {
        const [first = "", ...rest] = snippet(finding.fix).split("\n");
        yield [`    fix  ${first}`, ...rest.map((line) => `         ${line}`)].join("\n");
    }
    if (exemption) {
        yield field("  was exempt until ", `${exemption.expires}: ${exemption.reason}`);
    }
}

function exemptLine({ rule, exemption, ...place }: Violation): string {
    const { where, what } = headlineParts({ rule, exemption, ...place });
    const { expires = "", reason = "" } = exemption ?? {};
    return [
        field("exempt  ", `${rule.name}: ${where}: ${what}`, 0),
        field("        until ", `${expires}: ${reason}`, 0),
    ].join("\n");
}

function exemptionLine({ rule, exemption }: SetExemption, what: string): string {
    const { namespace = "*", workload = "*", container = "*", reason } = exemption;
    const place = `${namespace}/${workload}, container ${container}`;
    return field("exemption  ", `${rule.name} for ${place} ${what}: ${reason}`, 0);
}

/** Wraps text after a label, with a hanging indent. A word that is longer than a line is not broken. */
function field(name: string, text: string, margin = 2): string {
    const first = " ".repeat(margin) + name;
    const lines = [""];
    for (const word of text.split(" ")) {
        const line = lines.at(-1) ?? "";
        const fits = first.length + line.length + word.length + 1 <= WIDTH;
        if (line === "" || fits) lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
        else lines.push(word);
    }
    return first + lines.join(`\n${" ".repeat(first.length)}`);
}
