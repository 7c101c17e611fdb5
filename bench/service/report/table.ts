import type { Fact, Finding, FloorResult, Standing } from "./finding.ts";

/**
 * `ratio`: to the first peer, turn by turn; `cpu µs`: the server's processor time a request; `core`,
 * `gen`: percent of their core that server and generator had.
 */
const HEADINGS = [
    ...["contestant", "req/s", "±%", "ratio", "p50 ms", "p99 ms", "p99.9", "cpu µs", "core"],
    "gen",
];

/** A finding in at most 80 columns. */
export function findingTable({ title, standings, facts, floors, notes }: Finding): string {
    const lines = [
        ...(standings.length > 0 ? aligned([HEADINGS, ...standings.map(row)]) : []),
        ...(facts.length > 0 ? aligned([Object.keys(facts[0] ?? {}), ...facts.map(values)]) : []),
        ...standings.flatMap(failures),
        ...notes,
        ...floors.map(floorLine),
    ];
    return [title, ...lines.map((line) => `  ${line}`)].join("\n");
}

export function floorLine({ what, measured, unit, met }: FloorResult): string {
    return `${met ? "met    " : "NOT MET"} ${what}: ${figure(measured)} ${unit}`;
}

/** The first column to the left, the others to the right, two blanks between them. */
function aligned(rows: readonly (readonly string[])[]): string[] {
    const widths = (rows[0] ?? []).map((_, at) =>
        Math.max(...rows.map((cells) => cells[at]?.length ?? 0)),
    );
    return rows.map((cells) =>
        cells
            .map((text, at) => {
                const width = widths[at] ?? 0;
                return at === 0 ? text.padEnd(width) : text.padStart(width);
            })
            .join("  "),
    );
}

function row(standing: Standing): string[] {
    const { name, rate, spread, ratio, latency, serverCore, generatorCore } = standing;
    return [
        name,
        Math.round(rate).toLocaleString("en"),
        (spread * 50).toFixed(0),
        ratio === undefined ? "" : figure(ratio),
        ...[latency.p50, latency.p99, latency.p999].map(figure),
        figure((serverCore / rate) * 1e6),
        ...[serverCore, generatorCore].map((share) => (share * 100).toFixed(0)),
    ];
}

function values(fact: Fact): string[] {
    return Object.values(fact).map((value) => (typeof value === "number" ? figure(value) : value));
}

function failures({ name, failed }: Standing): string[] {
    return failed === 0 ? [] : [`FAILED  ${failed} requests of ${name}`];
}

/** Three digits that count; a whole number as it is. */
export function figure(value: number): string {
    if (Number.isInteger(value) || value >= 100) return Math.round(value).toLocaleString("en");
    return value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value.toFixed(3);
}
