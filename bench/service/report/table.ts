import type { Fact, BenchmarkResult, FloorResult, PeerResult } from "./result.ts";

/**
 * `ratio`: relative to the first peer, turn by turn; `cpu µs`: processor time of the server per request;
 * `core`, `gen`: use of their core by server and generator, in percent.
 */
const HEADINGS = [
    ...["peer", "req/s", "±%", "ratio", "p50 ms", "p99 ms", "p99.9", "cpu µs", "core"],
    "gen",
];

/** A result in at most 80 columns. */
export function formatResult({ title, peers, facts, floors, notes }: BenchmarkResult): string {
    const lines = [
        ...(peers.length > 0 ? aligned([HEADINGS, ...peers.map(row)]) : []),
        ...(facts.length > 0 ? aligned([Object.keys(facts[0] ?? {}), ...facts.map(values)]) : []),
        ...peers.flatMap(failures),
        ...notes,
        ...floors.map(formatFloor),
    ];
    return [title, ...lines.map((line) => `  ${line}`)].join("\n");
}

function formatFloor({ description, measured, unit, met }: FloorResult): string {
    return `${met ? "met    " : "NOT MET"} ${description}: ${formatNumber(measured)} ${unit}`;
}

/** Aligns the first column left and the others right, with two spaces in between. */
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

function row(peerResult: PeerResult): string[] {
    const { name, rate, spread, ratio, latency, serverCore, generatorCore } = peerResult;
    return [
        name,
        Math.round(rate).toLocaleString("en"),
        (spread * 50).toFixed(0),
        ratio === undefined ? "" : formatNumber(ratio),
        ...[latency.p50, latency.p99, latency.p999].map(formatNumber),
        formatNumber((serverCore / rate) * 1e6),
        ...[serverCore, generatorCore].map((share) => (share * 100).toFixed(0)),
    ];
}

function values(fact: Fact): string[] {
    return Object.values(fact).map((value) =>
        typeof value === "number" ? formatNumber(value) : value,
    );
}

function failures({ name, failed }: PeerResult): string[] {
    return failed === 0 ? [] : [`FAILED  ${failed} requests of ${name}`];
}

/** Three significant digits; integers unchanged. */
function formatNumber(value: number): string {
    if (Number.isInteger(value) || value >= 100) return Math.round(value).toLocaleString("en");
    return value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value.toFixed(3);
}
