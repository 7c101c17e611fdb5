import { METRICS } from "@property-search/contract";
import type { Labels, Series } from "./client.ts";

/** Sums of a process's counters at one time, by figure. */
export type HourlySums = ReadonlyMap<string, number>;

/** Counters that are also reported by hour, with the figure that a series counts towards. */
const FIGURES: Readonly<Record<string, (labels: Labels) => string | undefined>> = {
    [METRICS.lookups]: ({ result = "" }) => `lookups ${result}`,
    [METRICS.costSaved]: () => "saved",
    [METRICS.costBilled]: () => "billed",
    [METRICS.requests]: ({ code = "" }) => (code.startsWith("5") ? "serverErrors" : "requests"),
    [METRICS.upstreamOverloaded]: () => "overloaded",
    [`${METRICS.responseTime}_bucket`]: ({ result, le = "" }) =>
        result === "error" ? undefined : `answers ${le}`,
};

export const HOURLY_METRICS: readonly string[] = Object.keys(FIGURES);

export function sumForHours(series: readonly Series[]): HourlySums {
    const sums = new Map<string, number>();
    for (const { labels, samples } of series) {
        const figure = FIGURES[labels.__name__ ?? ""]?.(labels);
        if (figure === undefined) continue;
        sums.set(figure, (sums.get(figure) ?? 0) + (samples.at(-1)?.[1] ?? NaN));
    }
    return sums;
}
