import { JOBS, METRICS, SCRAPE_INTERVAL_SECONDS, type Colour } from "@property-search/contract";

/**
 * The work that pods share out: misses a second. It grows with the traffic and when fewer texts are found
 * in the cache, and each pod's part of it shrinks with every pod that comes. A hit rate does neither: an
 * autoscaler that aims at one adds pods while the cache is well and takes them away when it fails.
 */
const SELECTOR = `job="${JOBS.service}",result="miss"`;
/** Four scrapes: a rate needs two, one may be lost, and a longer window sees a burst later. */
const WINDOW = `${4 * SCRAPE_INTERVAL_SECONDS}s`;

/** Misses a second of all pods of a colour; no result, rather than 0, where nothing is known. */
export function missesQuery(colour: Colour): string {
    return `sum(rate(${METRICS.lookups}{${SELECTOR},colour="${colour}"}[${WINDOW}]))`;
}

/** What prometheus-adapter calls the misses a second of a pod. */
export const ADAPTER_METRIC = "embedding_misses_per_second";

/** prometheus-adapter's rule for ADAPTER_METRIC: docs/config.md of kubernetes-sigs/prometheus-adapter. */
export function adapterRule(): object {
    return {
        seriesQuery: `${METRICS.lookups}{${SELECTOR},namespace!="",pod!=""}`,
        resources: {
            overrides: { namespace: { resource: "namespace" }, pod: { resource: "pod" } },
        },
        name: { matches: `^${METRICS.lookups}$`, as: ADAPTER_METRIC },
        metricsQuery: `sum by (<<.GroupBy>>) (rate(<<.Series>>{<<.LabelMatchers>>,${SELECTOR}}[${WINDOW}]))`,
    };
}
