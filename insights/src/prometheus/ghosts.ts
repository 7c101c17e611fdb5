import { JOBS, METRICS } from "@property-search/contract";
import { quote, type Prometheus, type Window } from "./client.ts";

/** Gauges that the figures of the ghost caches depend on; undefined: not measured. */
export interface GhostGauges {
    /** Least share of the keys that was sampled in the window. */
    readonly samplingRatio: number | undefined;
    /** Seconds back to which requests were known, at any time of the window. */
    readonly memorySeconds: number | undefined;
    /** Settings in force at the end of the window; undefined, too, if pods differ. */
    readonly ttlSeconds: number | undefined;
    readonly localEntries: number | undefined;
}

/** @throws PrometheusError */
export async function readGhostGauges(
    prometheus: Prometheus,
    { from, to }: Window,
): Promise<GhostGauges> {
    const range = `[${Math.ceil((to - from) * 1000)}ms]`;
    const job = `job=${quote(JOBS.service)}`;
    const read = async (expr: string) => (await prometheus.query(expr, to))[0]?.samples[0]?.[1];
    // Not the arms of an experiment.
    const setting = async (name: string) => {
        const selector = `${METRICS.settingValue}{${job},setting=${quote(name)},source=~"config|tuned"}`;
        const [least, most] = await Promise.all([
            read(`min(${selector})`),
            read(`max(${selector})`),
        ]);
        return least === most ? least : undefined;
    };
    const [samplingRatio, memorySeconds, ttlSeconds, localEntries] = await Promise.all([
        read(
            `min(min_over_time(${METRICS.ghostSamplingRatio}{${job},ghost="reuse_time"}${range}))`,
        ),
        read(`min(min_over_time(${METRICS.ghostMemory}{${job}}${range}))`),
        setting("cacheTtlSeconds"),
        setting("localCacheMaxEntries"),
    ]);
    return { samplingRatio, memorySeconds, ttlSeconds, localEntries };
}
