/**
 * Names of the service's metrics, shared by the service that exports them and by the rules, dashboards,
 * autoscalers and reports that query them.
 */
export const METRICS = {
    /** Gauge, percent 0–100: hits over lookups in the last five minutes. For humans; alerts use the counters. */
    hitRate: "embedding_cache_hit_rate",
    /** Counter of items looked up, by `result` (CACHE_RESULTS). */
    lookups: "embedding_cache_lookups_total",
    /** Counter of items whose text was truncated to the model's context length. */
    truncated: "embedding_truncated_items_total",

    /** Counter, dollars not spent, by `tenant`, `model` and `result` (SAVING_RESULTS). */
    costSaved: "embedding_cost_saved_dollars_total",
    /** Counter, dollars spent upstream, by `tenant`, `model` and `purpose` (PURPOSES). */
    costBilled: "embedding_cost_billed_dollars_total",
    /** Counter of tokens not billed thanks to a cache, by `tenant`, `model` and `result` (SAVING_RESULTS). */
    tokensSaved: "embedding_tokens_saved_total",
    /** Counter of tokens that the upstream billed, by `tenant`, `model` and `purpose` (PURPOSES). */
    tokensBilled: "embedding_tokens_billed_total",
    /** Gauge, dollars per hour, by `kind` (OVERHEAD_KINDS): cost of the cache itself. */
    overheadRate: "embedding_overhead_dollars_per_hour",

    /** Counter of HTTP requests, by `route` and `code`. */
    requests: "embedding_requests_total",
    /**
     * Histogram by `route` and `result` (CACHE_RESULTS): seconds from the last byte of the request to the
     * last byte of the response handed to the kernel. A request with several results counts as the slowest.
     */
    responseTime: "embedding_response_time_seconds",
    /** Gauge: requests in flight. */
    inFlight: "embedding_requests_in_flight",
    /** Counter of requests rejected by a tenant's limits, by `tenant` and `reason` (REJECTION_REASONS). */
    rejected: "embedding_requests_rejected_total",

    /** Gauges: size of the process's local cache. */
    localEntries: "embedding_local_cache_entries",
    localBytes: "embedding_local_cache_bytes",

    /** Gauge: 1 while Redis is available, 0 while its circuit breaker is open. */
    redisUp: "embedding_redis_up",
    /** Histogram by `operation` (REDIS_OPERATIONS): seconds of successful Redis operations. */
    redisOperationTime: "embedding_redis_operation_seconds",
    /** Counter of failed Redis operations, by `operation`. */
    redisErrors: "embedding_redis_errors_total",
    /** Counter of entries that were not written, by `reason` = full | down | error. */
    redisDropped: "embedding_redis_writes_dropped_total",
    /** Counter of entries in Redis that are corrupt or have an unknown format. */
    redisCorrupt: "embedding_redis_corrupt_entries_total",
    /** Counter of valid entries in Redis that were not served, by `reason` (QUARANTINE_REASONS). */
    quarantineSkipped: "embedding_quarantine_skipped_entries_total",

    /** Counter of upstream attempts, by `endpoint` and `outcome`: `ok` or the error code. */
    upstreamAttempts: "embedding_upstream_attempts_total",
    /** Histogram by `endpoint`: seconds of all upstream attempts. */
    upstreamAttemptTime: "embedding_upstream_attempt_seconds",
    /** Counters: successful upstream calls, and the inputs and requests batched into them. */
    upstreamCalls: "embedding_upstream_calls_total",
    upstreamInputs: "embedding_upstream_inputs_total",
    upstreamBatchedRequests: "embedding_upstream_batched_requests_total",
    /** Gauges: queued inputs, calls in flight, and the concurrency limit. */
    upstreamWaiting: "embedding_upstream_waiting_inputs",
    upstreamInFlight: "embedding_upstream_calls_in_flight",
    upstreamLimit: "embedding_upstream_concurrency_limit",
    /** Counter of requests rejected because the upstream queue is full or too slow for their deadline. */
    upstreamOverloaded: "embedding_upstream_overloaded_total",

    /** Info metric, 1, labelled `colour`, `version`, `provider`, `model`, `revision`. */
    buildInfo: "embedding_build_info",
} as const;

/** Values of the `result` label, fastest first. */
export const CACHE_RESULTS = ["hit_l1", "hit_l2", "coalesced", "stale", "miss", "error"] as const;

export type CacheResult = (typeof CACHE_RESULTS)[number];

/** Results that needed no upstream call of their own. */
export const SAVING_RESULTS = ["hit_l1", "hit_l2", "coalesced", "stale"] as const;

/** Purpose of an upstream call: a client request, the refresh of an entry, or a warm-up. */
export const PURPOSES = ["request", "refresh", "warmup"] as const;

export type Purpose = (typeof PURPOSES)[number];

/** `pod`: cost per pod, to be summed. `storage`: cost shared by all pods, exported by each pod. */
export const OVERHEAD_KINDS = ["pod", "storage"] as const;

/** Values of the `reason` label of METRICS.rejected. */
export const REJECTION_REASONS = ["requests", "tokens", "concurrency", "quota"] as const;

export type RejectionReason = (typeof REJECTION_REASONS)[number];

export const REDIS_OPERATIONS = ["read", "write", "lease", "release"] as const;

export type RedisOperation = (typeof REDIS_OPERATIONS)[number];

/**
 * Why an entry of another build is not served: the build is quarantined; the entry was written in a quarantine
 * that was not promoted; or this pod could not read the quarantine records.
 */
export const QUARANTINE_REASONS = ["quarantined", "not_promoted", "state_unknown"] as const;

export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** Label of all tenants beyond the first 500 of a pod, which bounds the cardinality. */
export const OTHER_TENANTS = "others";

/** Upper bounds in seconds. Every threshold of an alert or release criterion is one of them. */
export const RESPONSE_TIME_BUCKETS = [
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
] as const;
