import type { ReportDocument } from "./document.ts";
import type { Section, Table } from "./section.ts";

export function writeMarkdown({ title, period, summary, cards, sections }: ReportDocument): string {
    const parts = [
        `# ${escape(title)}`,
        escape(period),
        ...summary.map(escape),
        writeTable({
            caption: "",
            columns: ["Figure", "Value", "Note"],
            rows: cards.map((card) => [card.title, card.value, card.note]),
        }),
        ...sections.flatMap(writeSection),
    ];
    return `${parts.join("\n\n")}\n`;
}

function writeSection({ title, text = [], list = [], tables = [] }: Section): readonly string[] {
    return [
        `## ${escape(title)}`,
        ...text.map(escape),
        ...(list.length === 0 ? [] : [list.map((line) => `- ${escape(line)}`).join("\n")]),
        ...tables.filter(({ rows }) => rows.length > 0).map(writeTable),
    ];
}

function writeTable({ columns, rows, isText }: Table): string {
    const line = (cells: readonly string[]) => `| ${cells.map(escape).join(" | ")} |`;
    const rule = columns.map((_, at) => (at === 0 || isText ? "---" : "--:"));
    return [line(columns), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** Names come from labels, which a tenant or a pod may choose. */
function escape(text: string): string {
    return text.replaceAll(/[\\`*_[\]<>|#]/g, "\\$&").replaceAll(/\s+/g, " ");
}
