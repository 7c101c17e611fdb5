import { formatTime } from "../analysis/report.ts";
import type { Figure, ImpactView, SeriesName } from "./view.ts";

/** Columns of the export, with their units. */
const COLUMNS: Readonly<Record<SeriesName, string>> = {
    saved: "saved_dollars",
    cost: "running_cost_dollars",
    net: "net_savings_dollars",
    netSum: "net_savings_since_begin_dollars",
    hitRate: "hit_rate",
    hitL1: "hit_l1_share",
    hitL2: "hit_l2_share",
    semantic: "semantic_share",
    otherHits: "coalesced_or_stale_share",
    miss: "miss_share",
    mean: "mean_response_seconds",
    p95: "p95_response_seconds",
    requestsPerSecond: "requests_per_second",
    textsPerSecond: "texts_per_second",
    errorShare: "server_error_share",
    concurrentMean: "concurrent_requests_mean",
    concurrentPeak: "concurrent_requests_highest_sample",
    cpuShare: "cpu_share_of_limit",
    cpuCores: "cpu_cores",
    relevantShare: "relevant_feedback_share",
};

/** Plots of a view as RFC 4180 CSV: a line for each point; an empty field is not measured. */
export function writeCsv({ series }: ImpactView): string {
    const { from, to, seconds, values, versions, pods } = series;
    const columns: readonly (readonly [string, readonly Figure[]])[] = [
        ...Object.entries(COLUMNS).map(
            ([name, title]) => [title, values[name as SeriesName]] as const,
        ),
        ...Object.entries(pods).map(([colour, list]) => [`pods_${colour}`, list] as const),
        ...Object.entries(versions).map(
            ([version, list]) => [`request_share_${version.replace(" ", "_")}`, list] as const,
        ),
    ];
    const lines = [
        ["from", "to", "measured_seconds", ...columns.map(([title]) => quoteField(title))],
        ...from.map((begin, at) => [
            formatTime(begin),
            formatTime(to[at] ?? begin),
            String(seconds[at] ?? 0),
            ...columns.map(([, list]) => String(list[at] ?? "")),
        ]),
    ];
    return lines.map((fields) => `${fields.join(",")}\r\n`).join("");
}

/** Versions are labels of pods. A field that begins as a formula is not run by a spreadsheet. */
function quoteField(text: string): string {
    const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
