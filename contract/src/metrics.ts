/**
 * Names of the service's own metrics: one place for the service that exports them and for the rules,
 * dashboards, autoscalers and reports that read them.
 */
export const METRICS = {
    /** Gauge, percent 0–100: hits of the last minutes over lookups. For people; alerts rate the counters. */
    hitRate: "embedding_cache_hit_rate",
    /** Counter of items looked up, by `result` (CACHE_RESULTS). */
    lookups: "embedding_cache_lookups_total",
    /** Counter of items that were answered from the beginning of their text: the rest did not fit the model. */
    truncated: "embedding_truncated_items_total",

    /** Counter, dollars not spent, by `tenant`, `model` and `result` (SAVING_RESULTS). */
    costSaved: "embedding_cost_saved_dollars_total",
    /** Counter, dollars spent upstream, by `tenant`, `model` and `purpose` (PURPOSES). */
    costBilled: "embedding_cost_billed_dollars_total",
    /** Counter of tokens that a cache saved, by `tenant`, `model` and `result` (SAVING_RESULTS). */
    tokensSaved: "embedding_tokens_saved_total",
    /** Counter of tokens that the upstream billed, by `tenant`, `model` and `purpose` (PURPOSES). */
    tokensBilled: "embedding_tokens_billed_total",
    /** Gauge, dollars an hour, by `kind` (OVERHEADS): what the cache itself costs. */
    costRate: "embedding_overhead_dollars_per_hour",

    /** Counter of HTTP requests, by `route` and `code`. */
    requests: "embedding_requests_total",
    /**
     * Histogram by `route` and `result` (CACHE_RESULTS): seconds from the request's last byte in to the
     * response's last byte handed over. A request of several results counts as its slowest.
     */
    responseTime: "embedding_response_time_seconds",
    /** Gauge, requests now being answered. */
    inFlight: "embedding_requests_in_flight",
    /** Counter of requests that a tenant's limits refused, by `tenant` and `reason` (REFUSALS). */
    refused: "embedding_requests_refused_total",

    /** Gauges: what the process's own cache holds. */
    localEntries: "embedding_local_cache_entries",
    localBytes: "embedding_local_cache_bytes",

    /** Gauge, 1 while Redis answers and 0 while its breaker is open. */
    redisUp: "embedding_redis_up",
    /** Histogram by `operation` (REDIS_OPERATIONS), seconds, of operations that Redis answered. */
    redisTime: "embedding_redis_operation_seconds",
    /** Counter of operations that failed, by `operation`. */
    redisErrors: "embedding_redis_errors_total",
    /** Counter of entries that were not written, by `reason` = full | down | error. */
    redisDropped: "embedding_redis_writes_dropped_total",
    /** Counter of entries that were found damaged or of another form. */
    redisDamaged: "embedding_redis_damaged_entries_total",
    /** Counter of sound entries that were found in Redis and not served, by `reason` (TRIAL_REFUSALS). */
    trialRefused: "embedding_trial_entries_refused_total",

    /** Counter of attempts, by `endpoint` and `outcome` = ok or the error's code. */
    upstreamAttempts: "embedding_upstream_attempts_total",
    /** Histogram by `endpoint`, seconds, of all attempts. */
    upstreamTime: "embedding_upstream_attempt_seconds",
    /** Counter of calls that were answered; inputs and requests that they carried. */
    upstreamCalls: "embedding_upstream_calls_total",
    upstreamInputs: "embedding_upstream_inputs_total",
    upstreamRequests: "embedding_upstream_joined_requests_total",
    /** Gauges: inputs that wait, calls under way, and how many of them there may be. */
    upstreamWaiting: "embedding_upstream_waiting_inputs",
    upstreamInFlight: "embedding_upstream_calls_in_flight",
    upstreamLimit: "embedding_upstream_concurrency_limit",
    /** Counter of requests that were refused because they would have waited in vain. */
    upstreamOverloaded: "embedding_upstream_overloaded_total",

    /** Gauge, 1: `colour`, `version`, `provider`, `model`, `revision`. */
    buildInfo: "embedding_build_info",
} as const;

/** Values of the `result` label, fastest first. */
export const CACHE_RESULTS = ["hit_l1", "hit_l2", "coalesced", "stale", "miss", "error"] as const;

export type CacheResult = (typeof CACHE_RESULTS)[number];

/** Those of CACHE_RESULTS that cost nothing upstream. */
export const SAVING_RESULTS = ["hit_l1", "hit_l2", "coalesced", "stale"] as const;

/** What a call of the upstream was for: a request that waits, an entry's renewal, a warm-up. */
export const PURPOSES = ["request", "refresh", "warmup"] as const;

export type Purpose = (typeof PURPOSES)[number];

/** `pod`: of each pod, to be summed. `storage`: of what all pods share, the same figure in each. */
export const OVERHEADS = ["pod", "storage"] as const;

/** Values of the `reason` label of METRICS.refused. */
export const REFUSALS = ["requests", "tokens", "concurrency", "quota"] as const;

export type Refusal = (typeof REFUSALS)[number];

export const REDIS_OPERATIONS = ["read", "write", "lease", "release"] as const;

export type RedisOperation = (typeof REDIS_OPERATIONS)[number];

/**
 * Why an entry of another build is not served: that build is on trial; the entry is of a trial that was not
 * promoted; or this pod has not been able to read who is on trial.
 */
export const TRIAL_REFUSALS = ["trial", "failed", "unread"] as const;

export type TrialRefusal = (typeof TRIAL_REFUSALS)[number];

/** Tenants beyond a pod's first 500 are counted together, so that no client can fill Prometheus. */
export const OTHER_TENANTS = "others";

/** Upper edges in seconds: one stands at every threshold that an alert or criterion uses. */
export const RESPONSE_TIME_BUCKETS = [
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
] as const;
