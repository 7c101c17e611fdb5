import { JOBS } from "@property-search/contract";
import { COLOUR_NAMESPACES, withColour } from "../alerts/subjects.ts";
import type { Query } from "./panels.ts";

/** Grafana's variable: four scrapes or one step of the graph, whichever is longer. */
const RATE_INTERVAL = "$__rate_interval";
/** Grafana's variable: the dashboard's time range. */
export const TIME_RANGE = "$__range";

/** Selector for the process metrics of the service's pods. */
export const SERVICE_SELECTOR = `{job="${JOBS.service}"}`;

/** Selector for Kubernetes metrics of the colours' namespaces. */
export const COLOUR_SELECTOR = `{${COLOUR_NAMESPACES}}`;

export function rate(series: string): string {
    return `rate(${series}[${RATE_INTERVAL}])`;
}

export function increase(series: string): string {
    return `increase(${series}[${TIME_RANGE}])`;
}

/** Quantile of a histogram by labels; `selector` restricts its series. */
export function quantile(
    fraction: number,
    histogram: string,
    by: readonly string[],
    selector = "",
): string {
    const labels = ["le", ...by].join(", ");
    const buckets = rate(`${histogram}_bucket${selector}`);
    return `histogram_quantile(${fraction}, sum by (${labels}) (${buckets}))`;
}

/** Takes the maximum, since two instances of kube-state-metrics may report the same object. */
export function byColour(series: string): string {
    return withColour(`max by (namespace) (${series})`);
}

/** Drops NaN (0/0) from a non-negative expression, which a stat panel would show. */
export function withoutNaN(expr: string): string {
    return `${expr} >= 0`;
}

export function query(expr: string, legend: string): Query {
    return { expr, legend };
}

/** One query per percentile, each of a recorded series. */
export function percentileQueries(
    series: Readonly<Record<"p50" | "p95" | "p99", string>>,
): readonly Query[] {
    return [query(series.p50, "p50"), query(series.p95, "p95"), query(series.p99, "p99")];
}
