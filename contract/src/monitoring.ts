/**
 * Names in Prometheus, shared by the components that scrape and by the rules, dashboards, autoscalers, judge
 * and reports that query.
 */

/**
 * Values of the `job` label. Series of `service` also have the labels `colour`, `namespace`, `pod` and
 * `version`; series of the other jobs have `namespace` and `pod`.
 */
export const JOBS = {
    service: "embedding-service",
    redis: "redis",
    gateway: "gateway",
    kubeState: "kube-state-metrics",
    prometheus: "prometheus",
    alertmanager: "alertmanager",
    grafana: "grafana",
    example: "property-search",
} as const;

/** Gauge, percent 0–100, by `colour`: the weight in the HTTPRoute. */
export const TRAFFIC_WEIGHT = "property_search_traffic_weight";

/** Intervals of scrapes and of rule evaluations; the window of a rate spans at least four scrapes. */
export const SCRAPE_INTERVAL_SECONDS = 15;
export const EVALUATION_INTERVAL_SECONDS = 15;

/** Info metric, 1: state of the latest release, labelled `switch` (its ID), `candidate` and `phase`. */
export const RELEASE_INFO = "property_search_release_info";
