import { JOBS } from "@property-search/contract";
import { IN_COLOURS, withColour } from "../alerts/subjects.ts";
import type { Query } from "./panels.ts";

/** Four scrapes or one step of the graph, whichever is longer. */
const STEP = "$__rate_interval";
/** The time that is shown. */
export const SHOWN = "$__range";

/** Selector of what the pods of the service say of their process. */
export const OF_SERVICE = `{job="${JOBS.service}"}`;

/** Selector of what Kubernetes says of the colours' namespaces. */
export const OF_COLOURS = `{${IN_COLOURS}}`;

export function rate(series: string): string {
    return `rate(${series}[${STEP}])`;
}

export function increase(series: string): string {
    return `increase(${series}[${SHOWN}])`;
}

/** Seconds below which a share of a histogram's observations lie, by labels; `where` selects of them. */
export function quantile(
    share: number,
    histogram: string,
    by: readonly string[],
    where = "",
): string {
    const labels = ["le", ...by].join(", ");
    const buckets = rate(`${histogram}_bucket${where}`);
    return `histogram_quantile(${share}, sum by (${labels}) (${buckets}))`;
}

/** Two of Kubernetes' watchers at a time are no twice of anything. */
export function ofEachColour(series: string): string {
    return withColour(`max by (namespace) (${series})`);
}

/** A figure that is not negative, and that is absent where it would be 0/0: a stat would show NaN. */
export function ifAny(expr: string): string {
    return `${expr} >= 0`;
}

export function query(expr: string, legend: string): Query {
    return { expr, legend };
}

/** One query for each percentile, of series that Prometheus records. */
export function percentiles(
    series: Readonly<Record<"p50" | "p95" | "p99", string>>,
): readonly Query[] {
    return [query(series.p50, "p50"), query(series.p95, "p95"), query(series.p99, "p99")];
}
