/**
 * Names of the series that Prometheus records: one place for the rules that record them, and for alerts,
 * dashboards, autoscalers and reports that read them. Named level:metric:operation, as Prometheus does.
 * `colour:` series carry the label `colour`, `service:` series are of both colours together.
 */
const byColourAndInAll = <Name extends string>(name: Name) =>
    ({ colour: `colour:${name}`, service: `service:${name}` }) as const;

export const SERIES = {
    /** Items a second, of five minutes; those that ended in an error are neither hits nor lookups. */
    lookups: byColourAndInAll("embedding_lookups:rate5m"),
    hits: byColourAndInAll("embedding_hits:rate5m"),
    misses: byColourAndInAll("embedding_misses:rate5m"),
    /** Hits over lookups, 0–1; absent while nothing is looked up. */
    hitRatio: byColourAndInAll("embedding_hit_ratio:rate5m"),
    /** Tokens saved over tokens saved or billed to requests, 0–1: the cost cut, which long texts decide. */
    tokenHitRatio: byColourAndInAll("embedding_token_hit_ratio:rate5m"),
    /** Misses a second of each pod (`colour`, `namespace`, `pod`): what the autoscaler shares out. */
    missesOfPod: "pod:embedding_misses:rate5m",

    /** Requests a second; those answered with a 5xx; their share, 0–1, absent without requests. */
    requests: byColourAndInAll("embedding_requests:rate5m"),
    errors: byColourAndInAll("embedding_errors:rate5m"),
    errorRatio: byColourAndInAll("embedding_error_ratio:rate5m"),

    /** Rated buckets with the label `le`, of requests that did not fail. */
    responseBuckets: {
        colour: "colour_le:embedding_response_time_seconds_bucket:rate5m",
        service: "le:embedding_response_time_seconds_bucket:rate5m",
    },
    /** Seconds, of five minutes. */
    p50: byColourAndInAll("embedding_response_time_seconds:p50_5m"),
    p95: byColourAndInAll("embedding_response_time_seconds:p95_5m"),
    p99: byColourAndInAll("embedding_response_time_seconds:p99_5m"),
    /** Of requests that the caches alone answered. */
    cachedP95: byColourAndInAll("embedding_cached_response_time_seconds:p95_5m"),
    /** Requests a second that did not fail, and those of them that took longer than the objective allows. */
    answered: "service:embedding_answered_requests:rate5m",
    slow: "service:embedding_slow_requests:rate5m",

    /** Dollars a second. */
    saved: "service:embedding_cost_saved_dollars:rate5m",
    billed: "service:embedding_cost_billed_dollars:rate5m",
    /** Saved, less what the cache costs: renewals, warm-ups, pods and storage. */
    netSaved: "service:embedding_net_saved_dollars:rate5m",
    /** Saved over saved or billed to requests, 0–1, in dollars. */
    costCut: "service:embedding_cost_cut_ratio:rate5m",
    /** Dollars in 30 days, if they went like the savings target's window (24 hours unless configured). */
    savedPerMonth: "service:embedding_cost_saved_dollars:month",
    netSavedPerMonth: "service:embedding_net_saved_dollars:month",

    /** Pods of the service that Prometheus reaches; 0 where it knows of pods and reaches none. */
    podsUp: byColourAndInAll("embedding_pods_up:sum"),

    /** When a certificate of the Gateway ends, Unix time, by `certificate`. */
    certificateEnds: "certificate:not_after_seconds:min",

    /** Share of each objective's error budget that the last seven days left, 1 to below 0. */
    availabilityBudget: "service:embedding_availability_budget:remaining7d",
    latencyBudget: "service:embedding_latency_budget:remaining7d",
} as const;

/** Windows over which the objectives' shares of bad requests are recorded; 200 h of data hold them all. */
export const OBJECTIVE_WINDOWS = ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "7d"] as const;

export type ObjectiveWindow = (typeof OBJECTIVE_WINDOWS)[number];

/** `availability`: requests that ended in a 5xx are bad. `latency`: answers slower than its limit are. */
export const OBJECTIVES = ["availability", "latency"] as const;

export type Objective = (typeof OBJECTIVES)[number];

/** @returns the series with the share of bad requests, 0–1, absent without requests. */
export function badShare(objective: Objective, window: ObjectiveWindow): string {
    return `service:embedding_${objective}_bad_ratio:rate${window}`;
}
