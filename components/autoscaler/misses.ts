import { JOBS, METRICS, SCRAPE_INTERVAL_SECONDS, type Colour } from "@property-search/contract";

/**
 * Cache misses per second are the work that the pods share. They grow with the traffic and with a lower hit rate, and
 * each pod's share falls with every new pod. A hit rate has neither property: an autoscaler that targets it adds pods
 * while the cache works and removes them when it fails.
 */
const SELECTOR = `job="${JOBS.service}",result="miss"`;
/** Four scrape intervals: a rate needs two samples, one may be lost, and a longer window reacts later. */
const WINDOW = `${4 * SCRAPE_INTERVAL_SECONDS}s`;

/** Cache misses per second of all pods of a colour. Without samples there is no result, rather than 0. */
export function missesQuery(colour: Colour): string {
    return `sum(rate(${METRICS.lookups}{${SELECTOR},colour="${colour}"}[${WINDOW}]))`;
}

/** Name of the metric of cache misses per second of a pod, in prometheus-adapter. */
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
