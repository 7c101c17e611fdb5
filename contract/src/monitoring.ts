/**
 * What Prometheus calls things: one place for the components that scrape, and for the rules, dashboards,
 * autoscalers, judges and reports that read.
 */

/**
 * Values of the `job` label. Series of `service` carry `colour`, `namespace`, `pod` and `version` as well;
 * those of the others `namespace` and `pod`.
 */
export const JOBS = {
    service: "embedding-service",
    redis: "redis",
    gateway: "gateway",
    kubeState: "kube-state-metrics",
    prometheus: "prometheus",
    alertmanager: "alertmanager",
    grafana: "grafana",
} as const;

/** Gauge, percent 0–100, by `colour`: the weight that the route gives it, as the API server has it. */
export const TRAFFIC_WEIGHT = "property_search_traffic_weight";

/** Seconds between two scrapes, and between two evaluations of a rule; a rate's window spans 4 at least. */
export const SCRAPE_INTERVAL = 15;
export const EVALUATION_INTERVAL = 15;

/** Info, 1: where the last switch of the traffic stands, by its `switch` (id), `candidate` and `phase`. */
export const RELEASE_INFO = "property_search_release_info";
