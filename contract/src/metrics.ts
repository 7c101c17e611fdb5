/**
 * Names of the service's own metrics: one place for the service that exports them and for the rules,
 * dashboards, autoscalers and reports that read them.
 */
export const METRICS = {
    /** Gauge, percent 0–100: hits of the last minutes over lookups. For people; alerts rate the counters. */
    hitRate: "embedding_cache_hit_rate",
    /** Counter, dollars not spent because a vector came from a cache. */
    costSaved: "embedding_cost_saved_dollars_total",
    /** Counter, dollars spent upstream. */
    costBilled: "embedding_cost_billed_dollars_total",
    /** Histogram, seconds from the request's last byte in to the response's last byte handed over. */
    responseTime: "embedding_response_time_seconds",
    /** Counter of items looked up, by `result` (CACHE_RESULTS). */
    lookups: "embedding_cache_lookups_total",
    /** Counter of HTTP requests, by `route` and `code`. */
    requests: "embedding_requests_total",
    /** Counter of tokens, by `kind` = billed | avoided. */
    tokens: "embedding_tokens_total",
    /** Gauge, requests now being answered. */
    inFlight: "embedding_requests_in_flight",
    /** Gauge, 1: `colour`, `version`, `provider`, `model`, `revision`. */
    buildInfo: "embedding_build_info",
    /** Gauge, 1 while Redis answers and 0 while its breaker is open. */
    redisUp: "embedding_redis_up",
} as const;

/** Values of the `result` label of METRICS.lookups. */
export const CACHE_RESULTS = ["hit_l1", "hit_l2", "coalesced", "stale", "miss", "error"] as const;

/** Upper edges in seconds: one stands at every threshold that an alert or criterion uses. */
export const RESPONSE_TIME_BUCKETS = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
] as const;
