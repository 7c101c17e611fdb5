/**
 * Names of Prometheus' recorded series, shared by the recording rules and by the alerts, dashboards,
 * autoscalers and reports that query them. The names follow Prometheus' level:metric:operation.
 * `colour:` series have the label `colour`; `service:` series aggregate both colours.
 */
const perColourAndTotal = <Name extends string>(name: Name) =>
    ({ colour: `colour:${name}`, service: `service:${name}` }) as const;

export const SERIES = {
    /** Items per second over five minutes. Items that failed are neither hits nor lookups. */
    lookups: perColourAndTotal("embedding_lookups:rate5m"),
    hits: perColourAndTotal("embedding_hits:rate5m"),
    misses: perColourAndTotal("embedding_misses:rate5m"),
    /** Hits over lookups, 0–1; absent without lookups. */
    hitRatio: perColourAndTotal("embedding_hit_ratio:rate5m"),
    /** Tokens saved over tokens saved or billed to requests, 0–1: the hit ratio weighted by length. */
    tokenHitRatio: perColourAndTotal("embedding_token_hit_ratio:rate5m"),
    /** Misses per second of each pod (`colour`, `namespace`, `pod`): the autoscaler's metric. */
    podMisses: "pod:embedding_misses:rate5m",

    /** Requests per second; those with a 5xx response; their ratio, 0–1, absent without requests. */
    requests: perColourAndTotal("embedding_requests:rate5m"),
    errors: perColourAndTotal("embedding_errors:rate5m"),
    errorRatio: perColourAndTotal("embedding_error_ratio:rate5m"),

    /** Rates of the buckets (label `le`) of successful requests. */
    responseBuckets: {
        colour: "colour_le:embedding_response_time_seconds_bucket:rate5m",
        service: "le:embedding_response_time_seconds_bucket:rate5m",
    },
    /** Seconds, over five minutes. */
    p50: perColourAndTotal("embedding_response_time_seconds:p50_5m"),
    p95: perColourAndTotal("embedding_response_time_seconds:p95_5m"),
    p99: perColourAndTotal("embedding_response_time_seconds:p99_5m"),
    /** Requests answered from the caches alone. */
    cachedP95: perColourAndTotal("embedding_cached_response_time_seconds:p95_5m"),
    /** Successful requests per second, and those slower than the latency objective. */
    successfulRequests: "service:embedding_successful_requests:rate5m",
    slowRequests: "service:embedding_slow_requests:rate5m",

    /** Dollars per second. */
    saved: "service:embedding_cost_saved_dollars:rate5m",
    billed: "service:embedding_cost_billed_dollars:rate5m",
    /** Savings net of the cost of the cache: refreshes, warm-ups, pods and storage. */
    netSaved: "service:embedding_net_saved_dollars:rate5m",
    /** Dollars saved over dollars saved or billed to requests, 0–1. */
    costSavings: "service:embedding_cost_savings_ratio:rate5m",
    /** Dollars in 30 days, extrapolated from the savings target's window (default: 24 hours). */
    savedPerMonth: "service:embedding_cost_saved_dollars:month",
    netSavedPerMonth: "service:embedding_net_saved_dollars:month",

    /** Pods of the service that Prometheus can scrape; 0 if it can scrape none of its targets. */
    podsUp: perColourAndTotal("embedding_pods_up:sum"),

    /** Expiry of the Gateway's certificates, Unix time, by `certificate`. */
    certificateExpiry: "certificate:not_after_seconds:min",

    /** Remaining error budget of each objective over seven days: 1 (all) to below 0. */
    availabilityBudget: "service:embedding_availability_budget:remaining7d",
    latencyBudget: "service:embedding_latency_budget:remaining7d",
} as const;

/** Windows of the recorded error ratios; the retention of 200 h covers all of them. */
export const OBJECTIVE_WINDOWS = ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "7d"] as const;

export type ObjectiveWindow = (typeof OBJECTIVE_WINDOWS)[number];

/** Errors of `availability` are 5xx responses; errors of `latency` are responses slower than its limit. */
export const OBJECTIVES = ["availability", "latency"] as const;

export type Objective = (typeof OBJECTIVES)[number];

/** @returns the series with the error ratio of an SLO, 0–1, absent without requests */
export function objectiveErrorRatio(objective: Objective, window: ObjectiveWindow): string {
    return `service:embedding_${objective}_error_ratio:rate${window}`;
}
