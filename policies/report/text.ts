import type { Violation } from "../engine/evaluate.ts";
import { describeExpiry } from "../engine/exemptions.ts";
import { formatFix, headlineParts } from "../engine/message.ts";
import {
    findAdvisories,
    findExpiring,
    findExpired,
    findFailures,
    findUnused,
    type Run,
    type RuleExemption,
} from "../engine/run.ts";

const WIDTH = 80;

/** Formats a report for a terminal of 80 columns. */
export function textReport(run: Run, subject: string): string {
    const failures = findFailures(run);
    const advisories = findAdvisories(run);
    const exempt = run.rules.flatMap((one) => one.exempt);
    return [
        ...formatByRule("mandatory", failures),
        ...formatByRule("advisory", advisories),
        ...exempt.map((one) => formatExempt(one)),
        ...findExpired(run).map((one) =>
            formatExemption(one, `expired on ${one.exemption.expires}`),
        ),
        ...findExpiring(run).map((one) =>
            formatExemption(
                one,
                `${describeExpiry(one.exemption, run.now)} ${one.exemption.expires}`,
            ),
        ),
        ...findUnused(run).map((one) => formatExemption(one, "matches nothing")),
        formatSummary(run, subject),
    ].join("\n");
}

/** Formats the milliseconds of each rule, slowest first. */
export function formatTimes({ rules }: Run): string {
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

function formatSummary(run: Run, subject: string): string {
    const counts = [
        `${findFailures(run).length} mandatory`,
        `${findAdvisories(run).length} advisory`,
        `${run.rules.flatMap((one) => one.exempt).length} exempt`,
    ];
    const expired = findExpired(run).length;
    if (expired > 0) counts.push(`${expired} expired`);
    const milliseconds = run.rules.reduce((sum, one) => sum + one.milliseconds, 0);
    const scope = `${run.rules.length} rules, ${run.objects} objects of ${subject}`;
    return `${scope}: ${counts.join(", ")}; ${(milliseconds / 1000).toFixed(2)} s`;
}

function* formatByRule(level: string, violations: readonly Violation[]): Generator<string> {
    const rules = new Set(violations.map(({ rule }) => rule));
    for (const rule of rules) {
        yield `${level}  ${rule.name}  (${rule.severity})`;
        yield wrapField("", rule.title);
        yield wrapField("why  ", rule.why);
        yield wrapField("see  ", rule.url);
        for (const violation of violations.filter((one) => one.rule === rule)) {
            const { where, message, path } = headlineParts(violation);
            yield "";
            yield wrapField("- ", `${where}: ${message}`);
            yield wrapField("  at   ", path);
            yield* formatRemedy(violation);
        }
        yield "";
    }
}

function* formatRemedy({ finding, exemption }: Violation): Generator<string> {
    if (finding.fix !== undefined) {
        const [first = "", ...rest] = formatFix(finding.fix).split("\n");
        yield [`    fix  ${first}`, ...rest.map((line) => `         ${line}`)].join("\n");
    }
    if (exemption) {
        yield wrapField("  was exempt until ", `${exemption.expires}: ${exemption.reason}`);
    }
}

function formatExempt({ rule, exemption, ...place }: Violation): string {
    const { where, message } = headlineParts({ rule, exemption, ...place });
    const { expires = "", reason = "" } = exemption ?? {};
    return [
        wrapField("exempt  ", `${rule.name}: ${where}: ${message}`, 0),
        wrapField("        until ", `${expires}: ${reason}`, 0),
    ].join("\n");
}

function formatExemption({ rule, exemption }: RuleExemption, message: string): string {
    const { namespace = "*", workload = "*", container = "*", reason } = exemption;
    const place = `${namespace}/${workload}, container ${container}`;
    return wrapField("exemption  ", `${rule.name} for ${place} ${message}: ${reason}`, 0);
}

/** Wraps text after a label, with a hanging indent. A word that is longer than a line is not broken. */
function wrapField(name: string, text: string, margin = 2): string {
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
