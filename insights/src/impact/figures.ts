import { METRICS } from "@property-search/contract";
import type { Figure } from "../analysis/report.ts";
import { isForRequests } from "../analysis/totals.ts";
import type { Labels } from "../prometheus/client.ts";

/**
 * Sums by name, which may be added over processes and over times. A name that is absent is not measured: it is never 0.
 *
 * - `lookups RESULT`, `misses REASON`, `ghostDropped` (requests whose history is not known), `requests`, `serverErrors`, `feedback VERDICT`, `semantic OUTCOME`: counts;
 *   `semanticFeedback VERDICT`: feedback about semantic answers
 * - `saved`, `billedForRequests`, `billedForCache`, `pods`, `storage`, `net`: dollars
 * - `answers LE`: successful requests at most as slow as this bound; `responses`, `responseSeconds`: of the same requests
 * - `seconds`: time that the counts are of; `netSeconds`: the part of it in which all parts of `net` were
 * - `busySeconds`: response times of all requests
 * - `cpuSeconds` used; `cpuOffered` by the pods' limits, and `cpuOfOffered`, what was used in the time of `cpuOffered`
 * - `podSeconds COLOUR`: time of pods; `served COLOUR VERSION`: requests that a version answered
 */
export type Figures = Readonly<Record<string, number>>;

/** Counters, with the figures that a series counts towards. */
const COUNTERS: Readonly<Record<string, (labels: Labels) => readonly string[]>> = {
    [METRICS.lookups]: ({ result = "" }) => [`lookups ${result}`],
    [METRICS.misses]: ({ reason = "" }) => [`misses ${reason}`],
    [METRICS.ghostDropped]: () => ["ghostDropped"],
    [METRICS.costSaved]: () => ["saved"],
    [METRICS.costBilled]: ({ purpose = "" }) => [
        isForRequests(purpose) ? "billedForRequests" : "billedForCache",
    ],
    [METRICS.requests]: ({ code = "" }) =>
        code.startsWith("5") ? ["requests", "serverErrors"] : ["requests"],
    [`${METRICS.responseTime}_bucket`]: ({ result, le = "" }) =>
        result === "error" ? [] : [`answers ${formatBound(le)}`],
    [`${METRICS.responseTime}_sum`]: ({ result = "" }) =>
        result === "error" ? ["busySeconds"] : ["busySeconds", "responseSeconds"],
    [`${METRICS.responseTime}_count`]: ({ result }) => (result === "error" ? [] : ["responses"]),
    [METRICS.feedback]: ({ verdict = "", source = "" }) => [
        `feedback ${verdict}`,
        ...(source === "semantic" ? [`semanticFeedback ${verdict}`] : []),
    ],
    [METRICS.semanticLookups]: ({ outcome = "" }) => [`semantic ${outcome}`],
    process_cpu_seconds_total: () => ["cpuSeconds"],
};

/** Gauges of a process that are read with its counters. */
const RATES: Readonly<Record<string, (labels: Labels) => readonly string[]>> = {
    [METRICS.overheadRate]: ({ kind = "" }) => [`rate ${kind}`],
};

const ALL = { ...COUNTERS, ...RATES };

/** Regular expression of the names of all series that are read. */
export const SERIES_NAMES = Object.keys(ALL).join("|");

/** Labels that decide on the figure of a series. */
export const FIGURE_LABELS = [
    ...["result", "reason", "purpose", "code", "le", "verdict", "source", "outcome", "kind"],
] as const;

/** Prometheus 3 writes the bound 1 as 1.0. */
const formatBound = (le: string) => (le === "+Inf" ? le : String(Number(le)));

/** @returns figures of one series at one time; of a gauge, with the prefix `rate` */
export const figuresOf = (labels: Labels): readonly string[] =>
    ALL[labels.__name__ ?? ""]?.(labels) ?? [];

export const isRate = (figure: string): boolean => figure.startsWith("rate ");

export function addTo(sums: Record<string, number>, figures: Figures): void {
    for (const [name, value] of Object.entries(figures)) sums[name] = (sums[name] ?? 0) + value;
}

/** @returns null if the figure is not measured */
export const read = (figures: Figures, name: string): Figure => figures[name] ?? null;

/** Figures whose names have a prefix, by the rest of the name. */
export function readAll(figures: Figures, prefix: string): Readonly<Record<string, number>> {
    return Object.fromEntries(
        Object.entries(figures).flatMap(([name, value]) =>
            name.startsWith(`${prefix} `) ? [[name.slice(prefix.length + 1), value]] : [],
        ),
    );
}
