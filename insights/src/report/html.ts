import type { Card, ReportDocument } from "./document.ts";
import type { Chart, Section, Table } from "./section.ts";

/** A page without any other file: it can be sent by mail, and loads nothing. */
export function writeHtml({ title, period, summary, cards, sections }: ReportDocument): string {
    return writePage(
        title,
        `<h1>${escape(title)}</h1>
<p class="period">${escape(period)}</p>
${summary.map((line) => `<p class="summary">${escape(line)}</p>`).join("\n")}
<div class="cards">
${cards.map(writeCard).join("\n")}
</div>
${sections.map(writeSection).join("\n")}`,
    );
}

/** @param body HTML */
export function writePage(title: string, body: string): string {
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

function writeCard({ title, value, note }: Card): string {
    return `<div class="card"><h2>${escape(title)}</h2><p class="value">${escape(value)}</p><p>${escape(note)}</p></div>`;
}

function writeSection({ title, text = [], list = [], chart, tables = [] }: Section): string {
    const items = list.map((line) => `<li>${escape(line)}</li>`).join("");
    return `<section>
<h2>${escape(title)}</h2>
${text.map((line) => `<p>${escape(line)}</p>`).join("\n")}
${items === "" ? "" : `<ul>${items}</ul>`}
${chart ? writeChart(chart) : ""}
${tables
    .filter(({ rows }) => rows.length > 0)
    .map(writeTable)
    .join("\n")}
</section>`;
}

/** A wide table scrolls in its own box, which the keyboard reaches. */
function writeTable({ caption, columns, rows, isText }: Table): string {
    const cell = (tag: string, text: string, at: number, scope = "") =>
        `<${tag}${scope}${at === 0 || isText ? "" : ' class="figure"'}>${escape(text)}</${tag}>`;
    const head = columns.map((name, at) => cell("th", name, at, ' scope="col"')).join("");
    const body = rows
        .map((row) => {
            const cells = row.map((text, at) =>
                at === 0 && !isText ? cell("th", text, at, ' scope="row"') : cell("td", text, at),
            );
            return `<tr>${cells.join("")}</tr>`;
        })
        .join("\n");
    return `<div class="table${isText ? " text" : ""}" role="region" aria-label="${escape(caption)}" tabindex="0"><table>
<caption>${escape(caption)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}
</tbody>
</table></div>`;
}

const CHART = { width: 720, height: 160, labels: 18 } as const;

/** Bars; an unknown value is a hatched bar of full height. The table below the chart has the same figures. */
function writeChart({ title, points }: Chart): string {
    const highest = Math.max(1, ...points.map(({ value }) => value ?? 0));
    const step = CHART.width / Math.max(1, points.length);
    const bars = points.map(({ label, value, text }, at) => {
        const height = value === null ? CHART.height : (value / highest) * CHART.height;
        const box = [
            `x="${(at * step + 1).toFixed(1)}"`,
            `y="${(CHART.height - height).toFixed(1)}"`,
            `width="${Math.max(1, step - 2).toFixed(1)}"`,
            `height="${height.toFixed(1)}"`,
        ];
        return `<rect class="${value === null ? "unknown" : "bar"}" ${box.join(" ")}><title>${escape(`${label}: ${text}`)}</title></rect>`;
    });
    const every = Math.max(1, Math.ceil(points.length / 8));
    const labels = points.map(({ label }, at) =>
        at % every === 0
            ? `<text x="${(at * step + 1).toFixed(1)}" y="${CHART.height + CHART.labels - 4}">${escape(label)}</text>`
            : "",
    );
    const hasUnknown = points.some(({ value }) => value === null);
    return `<figure>
<figcaption>${escape(title)}; highest: ${highest.toLocaleString("en-US", { maximumFractionDigits: 0 })}${hasUnknown ? "; dashed: not measured" : ""}</figcaption>
<svg viewBox="0 0 ${CHART.width} ${CHART.height + CHART.labels}" role="img" aria-label="${escape(title)}; the table below has its figures">
${bars.join("\n")}
${labels.join("")}
</svg>
</figure>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
};

export function escape(text: string): string {
    return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #57606a; --back: #ffffff; --card: #f3f5f7; --line: #d0d7de; --bar: #0b62c4; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9da7b3; --back: #0d1117; --card: #161b22; --line: #30363d; --bar: #58a6ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0.5rem 0; }
section > h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; }
.period, .card p, caption, figcaption { color: var(--soft); font-size: 0.875rem; }
.summary { margin: 0.5rem 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.75rem; margin: 1rem 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.75rem; }
.card h2 { font-size: 0.875rem; font-weight: 600; margin: 0; }
.card p { margin: 0; }
.card .value { color: var(--text); font-size: 1.4rem; font-weight: 600; }
.table { overflow-x: auto; margin: 0.75rem 0; }
.table:focus-visible { outline: 2px solid var(--bar); }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
caption { text-align: left; padding: 0.25rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem; border-bottom: 1px solid var(--line); font-weight: 400; overflow-wrap: normal; }
thead th { font-weight: 600; }
.text td { min-width: 8rem; }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 0.75rem 0; }
svg { display: block; width: 100%; height: auto; }
.bar { fill: var(--bar); }
.unknown { fill: none; stroke: var(--soft); stroke-dasharray: 3 3; }
svg text { fill: var(--soft); font-size: 13px; }
a { color: var(--bar); }
@media print { .table { overflow: visible; } }
`;
