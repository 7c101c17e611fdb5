import { JOBS, METRICS } from "@property-search/contract";
import { quote, type Prometheus, type Window } from "./client.ts";

/** Local caches at the end of the window. */
export interface LocalCaches {
    readonly pods: number;
    /** Pods whose number of entries did not change in the last quarter of the window: they replace entries. */
    readonly full: number;
    readonly entriesPerPod: number;
}

/** @throws PrometheusError */
export async function readLocalCaches(
    prometheus: Prometheus,
    { from, to }: Window,
): Promise<LocalCaches | undefined> {
    const range = `${METRICS.localEntries}{job=${quote(JOBS.service)}}[${Math.ceil((to - from) / 4)}s]`;
    const [least, most] = await Promise.all([
        prometheus.query(`min_over_time(${range})`, to),
        prometheus.query(`max_over_time(${range})`, to),
    ]);
    const valuesOf = (series: typeof least) =>
        new Map(
            series.map(({ labels, samples }) => [JSON.stringify(labels), samples[0]?.[1] ?? NaN]),
        );
    const lows = valuesOf(least);
    const highs = [...valuesOf(most)];
    if (highs.length === 0) return undefined;
    return {
        pods: highs.length,
        full: highs.filter(([key, high]) => high > 0 && lows.get(key) === high).length,
        entriesPerPod: highs.reduce((all, [, high]) => all + high, 0) / highs.length,
    };
}
