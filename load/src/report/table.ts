import type { CellResult, FloorResult, Standing } from "./results.ts";

/**
 * `ratio`: to the first peer, turn by turn; `cpu µs`: the server's processor time a request; `core`, `gen`:
 * percent of their core that server and generator had.
 */
const COLUMNS = [
    ["contestant", 19],
    ["req/s", 8],
    ["±%", 4],
    ["ratio", 7],
    ["p50 ms", 8],
    ["p99 ms", 8],
    ["p99.9", 8],
    ["cpu µs", 7],
    ["core", 5],
    ["gen", 4],
] as const;

/** A cell in at most 80 columns. */
export function cellTable({ title, contestants, floors }: CellResult): string {
    const rows = [COLUMNS.map(([name]) => name), ...contestants.map(row)];
    const lines = rows.map((cells) =>
        cells
            .map((text, at) => {
                const width = COLUMNS[at]?.[1] ?? 0;
                return at === 0 ? text.padEnd(width) : text.padStart(width);
            })
            .join(""),
    );
    return [title, ...lines, ...contestants.flatMap(failures), ...floors.map(floorLine)]
        .map((line, at) => (at === 0 ? line : `  ${line}`))
        .join("\n");
}

export function floorLine({ what, measured, unit, met }: FloorResult): string {
    return `${met ? "met    " : "NOT MET"} ${what}: ${figure(measured)} ${unit}`;
}

function row(standing: Standing): string[] {
    const { name, rate, spread, ratio, latency } = standing;
    return [
        name,
        Math.round(rate).toLocaleString("en"),
        (spread * 50).toFixed(0),
        ratio === undefined ? "" : figure(ratio),
        ...[latency.p50, latency.p99, latency.p999].map(figure),
        figure((standing.serverCore / rate) * 1e6),
        ...[standing.serverCore, standing.generatorCore].map((share) => (share * 100).toFixed(0)),
    ];
}

function failures({ name, failed }: Standing): string[] {
    return failed === 0 ? [] : [`FAILED  ${failed} requests of ${name}`];
}

/** Three digits that count. */
function figure(value: number): string {
    if (value >= 100) return Math.round(value).toLocaleString("en");
    return value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value.toFixed(3);
}
