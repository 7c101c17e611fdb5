import path from "node:path";

import { renderPage, renderTable, renderVerdict } from "../load/report/html.ts";
import { escape } from "../shared/svg.ts";
import type { Row, Verdict } from "./criteria.ts";

export interface Table {
    readonly title: string;
    readonly subtitle: string;
    readonly rows: readonly Row[];
    readonly rehearsals: readonly Row[];
    /** Sentences below the table. */
    readonly notes: readonly string[];
}

const WIDTH = 80;

/** For a terminal of 80 columns. */
export function formatTable({ title, subtitle, rows, rehearsals, notes }: Table): string {
    const lines = [...rows, ...rehearsals].flatMap(({ verdict, criterion, goal, measured }) => [
        `${verdict.toUpperCase().padEnd(13)}${criterion}: ${goal}`,
        ...wrap(measured, WIDTH - 13).map((line) => `${" ".repeat(13)}${line}`),
    ]);
    return [title, subtitle, "", ...lines, "", ...notes.flatMap((note) => wrap(note, WIDTH))].join(
        "\n",
    );
}

export function summarise(rows: readonly Row[]): string {
    const count = (wanted: Verdict) => rows.filter(({ verdict }) => verdict === wanted).length;
    return `${count("met")} of ${rows.length} met, ${count("not met")} not met, ${count("not measured")} not measured`;
}

export function renderMarkdown({ title, subtitle, rows, rehearsals, notes }: Table): string {
    const table = (all: readonly Row[]) => [
        "| criterion | goal | measured | workload, evidence | verdict |",
        "| --- | --- | --- | --- | --- |",
        ...all.map(({ from, criterion, goal, measured, workload, evidence, verdict }) => {
            const source = [workload, evidence && `\`${evidence}\``].filter(Boolean).join("; ");
            const cells = [`${criterion} (${from})`, goal, measured, source, `**${verdict}**`];
            return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
        }),
    ];
    return `${[
        ...[`# ${title}`, "", subtitle, "", ...table(rows), ""],
        ...["## Rehearsals", "", ...table(rehearsals), ""],
        ...notes.map((note) => `- ${note}`),
    ].join("\n")}\n`;
}

export function renderHtml({ title, subtitle, rows, rehearsals, notes }: Table): string {
    const table = (all: readonly Row[]) =>
        renderTable(
            ["criterion", "goal", "measured", "workload", "evidence", "verdict"],
            all.map(({ from, criterion, goal, measured, workload, evidence, verdict }) => [
                `${escape(criterion)} (${escape(from)})`,
                ...[goal, measured, workload].map(escape),
                [evidence, ...pagesOf(evidence)]
                    .filter((file) => file !== "")
                    .map((file) => `<a href="${escape(file)}">${escape(path.basename(file))}</a>`)
                    .join(" "),
                renderVerdict(verdict),
            ]),
        );
    return renderPage(title, [
        `<h1>${escape(title)}</h1><p>${escape(subtitle)}</p>`,
        table(rows),
        "<h2>Rehearsals</h2>",
        table(rehearsals),
        `<ul>${notes.map((note) => `<li>${escape(note)}</li>`).join("")}</ul>`,
    ]);
}

/** Steps with load have a page with plots. */
const pagesOf = (evidence: string): string[] =>
    /^(users|disruption)[.]json$/.test(evidence) ? [evidence.replace("json", "html")] : [];

function wrap(text: string, width: number): string[] {
    const lines = [""];
    for (const word of text.split(" ")) {
        const last = lines.at(-1) ?? "";
        if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
        else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
    }
    return lines;
}
