import type { Change, PreviewSummary, PropertyChange, Violation } from "./changes.ts";

export interface ReportOptions {
    readonly stack: string;
    /** Whether the report is about drift; else it is about a planned update. */
    readonly isDrift: boolean;
    /** Whether the engine completed the preview. */
    readonly isComplete: boolean;
    /** Maximum length of the report. */
    readonly maxCharacters?: number;
}

/** Length that fits into a comment with the reports of other stacks. */
const LIMIT_CHARACTERS = 12_000;
/** Maximum length of a line, such as a long value. */
const LINE_CHARACTERS = 240;
/** Maximum lines of a list; the rest is counted. */
const LIST_LINES = 20;
/** Errors have their reason at the end, after the failed operation and its location. */
const ERRORS = { lines: 10, characters: 700 };
/** Maximum properties per object, and lines per side of a changed text. */
const PROPERTY_LINES = 15;
const TEXT_LINES = 6;

/**
 * Formats a preview, most important parts first: headline, policy violations, changes by component, then the differences.
 * Each part and the whole are bounded.
 */
export function previewReport(preview: PreviewSummary, options: ReportOptions): string {
    const { maxCharacters = LIMIT_CHARACTERS } = options;
    const summary = [
        headline(preview, options),
        ...section("Errors", preview.errors.flatMap(lines), ERRORS),
        ...violationLines(preview.violations),
        ...componentLines(preview.changes),
        ...section("Warnings", preview.warnings.flatMap(lines)),
    ];
    return fit(summary, differences(preview.changes), maxCharacters);
}

/** One-line summary of a preview. */
export function headline(
    preview: PreviewSummary,
    { stack, isDrift, isComplete }: ReportOptions,
): string {
    const { changes, violations, errors, unchanged } = preview;
    const mandatory = violations.filter(({ isMandatory }) => isMandatory).length;
    const what = changes.length === 0 ? "no changes" : counts(changes);
    const text = `${what}, ${unchanged} unchanged`;
    if (mandatory > 0) {
        return `Stack ${stack}: ${mandatory} mandatory policy violations; ${text}`;
    }
    if (!isComplete) {
        return `Stack ${stack}: ${isDrift ? "the comparison" : "the preview"} failed with ${errors.length} errors; until then ${text}`;
    }
    if (!isDrift) return `Stack ${stack}: ${text}`;
    return changes.length === 0
        ? `Stack ${stack} has not drifted: ${unchanged} objects unchanged`
        : `Stack ${stack} has drifted; restoring it: ${text}`;
}

/** `2 to create, 1 to update`. */
export function counts(changes: readonly Change[]): string {
    return Object.entries(Object.groupBy(changes, ({ op }) => op))
        .map(([op, all = []]) => `${all.length} to ${op}`)
        .join(", ");
}

function violationLines(violations: readonly Violation[]): string[] {
    const ranked = violations.toSorted((a, b) => Number(b.isMandatory) - Number(a.isMandatory));
    const words = ranked.flatMap(({ policy, isMandatory, resource, message }) =>
        findingLines(message).map(
            (line) => `${isMandatory ? "mandatory" : "advisory"}: ${policy}, ${resource}: ${line}`,
        ),
    );
    return section("Policies", words);
}

/** Lines between the rule's title, with which the policy SDK begins each message, and the rule's reason and fix. */
function findingLines(message: string): readonly string[] {
    const [title = "", ...rest] = lines(message).map((line) => line.trim());
    const end = rest.findIndex((line) => line.startsWith("Why: "));
    const found = end < 0 ? rest : rest.slice(0, end);
    return found.length > 0 ? found : [title];
}

function componentLines(changes: readonly Change[]): string[] {
    const groups = Object.entries(Object.groupBy(changes, ({ component }) => component));
    return section(
        "Changes by component",
        groups
            .toSorted(([a], [b]) => a.localeCompare(b))
            .map(([name, all = []]) => `${name}: ${counts(all)} (${kinds(all)})`),
    );
}

/** `Service, 2 × Deployment`. */
function kinds(changes: readonly Change[]): string {
    return Object.entries(Object.groupBy(changes, ({ kind }) => kind))
        .map(([kind, all = []]) => (all.length > 1 ? `${all.length} × ${kind}` : kind))
        .toSorted()
        .join(", ");
}

/** One block per changed object: the operation and the changed properties. */
function differences(changes: readonly Change[]): string[][] {
    return changes
        .filter(({ op }) => op !== "create")
        .map(({ op, kind, name, component, properties }) => [
            `${SIGNS[op] ?? "~"} ${op} ${kind} ${name} (${component})`,
            ...limitItems(
                properties.map((one) => propertyLines(one)),
                PROPERTY_LINES,
                "properties",
            ).flat(),
        ]);
}

const SIGNS: Readonly<Record<string, string>> = { delete: "-", replace: "!" };

function propertyLines({ path, before, after }: PropertyChange): string[] {
    if (
        typeof before === "string" &&
        typeof after === "string" &&
        (before + after).includes("\n")
    ) {
        return textLines(path, before.split("\n"), after.split("\n"));
    }
    const sides = [
        before === undefined ? [] : [`-   ${path}: ${valueText(before)}`],
        after === undefined ? [] : [`+   ${path}: ${valueText(after)}`],
    ];
    return sides.flat().map((line) => truncate(line));
}

/** Differing lines of a multi-line text, without the common start and end. */
function textLines(path: string, before: readonly string[], after: readonly string[]): string[] {
    const most = Math.min(before.length, after.length);
    let start = 0;
    while (start < most && before[start] === after[start]) start += 1;
    let end = 0;
    while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
    const side = (sign: string, all: readonly string[]) =>
        limitItems(
            all.slice(start, all.length - end).map((line) => truncate(`${sign}     ${line}`)),
            TEXT_LINES,
            "lines",
        );
    return [`~   ${path}, from line ${start + 1} on:`, ...side("-", before), ...side("+", after)];
}

function valueText(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}

function lines(text: string): string[] {
    return text.split("\n").filter((line) => line.trim() !== "");
}

function section(
    title: string,
    items: readonly string[],
    most = { lines: LIST_LINES, characters: LINE_CHARACTERS },
): string[] {
    if (items.length === 0) return [];
    const words = items.map((line) => truncate(`  ${line}`, most.characters));
    return ["", `${title}:`, ...limitItems(words, most.lines, "lines")];
}

function limitItems<T>(items: readonly T[], most: number, what: string): (T | string)[] {
    if (items.length <= most) return [...items];
    return [...items.slice(0, most), `  … and ${items.length - most} more ${what}`];
}

function truncate(line: string, characters = LINE_CHARACTERS): string {
    return line.length <= characters ? line : `${line.slice(0, characters)} …`;
}

/** The summary, followed by as many complete blocks as fit. */
function fit(summary: readonly string[], blocks: readonly string[][], limit: number): string {
    const kept: string[] = [];
    let room = limit - CLOSING_CHARACTERS;
    const add = (all: readonly string[]) => {
        room -= all.join("\n").length + 1;
        if (room >= 0) kept.push(...all);
        return room >= 0;
    };
    const isWhole = summary.every((line) => add([line]));
    if (!isWhole) kept.push("… and more: pulumi preview shows everything");
    const shown = isWhole ? blocks.findIndex((block, index) => !add(withTitle(block, index))) : 0;
    const left = shown < 0 ? 0 : blocks.length - shown;
    if (left > 0) kept.push("", `… and differences of ${left} more objects`);
    return `${kept.join("\n")}\n`;
}

/** Space for the note about omitted blocks. */
const CLOSING_CHARACTERS = 120;

function withTitle(block: readonly string[], index: number): readonly string[] {
    return index === 0 ? ["", "Differences:", ...block] : block;
}
