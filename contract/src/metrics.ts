import { PATHS } from "./http.ts";

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

    /**
     * Estimates from a sample of the keys: each event of a sampled key counts 1 / ghostSamplingRatio. Each has the label
     * `group` (0 to 7), by which the sampled keys are divided, so that the spread of the groups shows the error.
     *
     * Counter of misses of client requests, by `reason` (MISS_REASONS).
     */
    misses: "embedding_cache_misses_total",
    /** Histogram: seconds since the last request for the key, in any pod. First requests are not in it. */
    ghostReuseTime: "embedding_ghost_reuse_seconds",
    /** Counter of requests for keys that were not requested since the memory of the ghosts began. */
    ghostFirstRequests: "embedding_ghost_first_requests_total",
    /** Counter of fetches that entries with a lifetime of `ttl_seconds` (GHOST_TTLS_SECONDS) would have needed. */
    ghostFetches: "embedding_ghost_fetches_total",
    /**
     * Histogram: distinct keys requested from this pod since its last request for the key, 0 if there are none. First
     * requests and distances beyond its last bound are in +Inf.
     */
    ghostReuseDistance: "embedding_ghost_reuse_distance_entries",
    /** Counter, without groups: requests that are in none of the three above, since Redis was unavailable. */
    ghostDropped: "embedding_ghost_dropped_requests_total",
    /** Gauge, 0–1, by `ghost` (GHOSTS): share of the keys that is sampled. */
    ghostSamplingRatio: "embedding_ghost_sampling_ratio",
    /** Gauge: seconds back to which the ghosts know all requests; absent until it was read from Redis. */
    ghostMemory: "embedding_ghost_memory_seconds",

    /** Counter of verdicts, by `tenant`, `verdict` (FEEDBACK_VERDICTS) and `source` (FEEDBACK_SOURCES). */
    feedback: "embedding_feedback_total",

    /** Counter of items, by `experiment`, `unit` (UNITS), `arm` (ARMS), `block` (0 to 99) and `result` = hit | miss. */
    experimentLookups: "embedding_experiment_lookups_total",
    /** Counter of tokens billed for items of client requests, by `experiment`, `arm` and `block`. */
    experimentTokens: "embedding_experiment_billed_tokens_total",
    /** Counter of semantic answers, by `experiment` and `arm`. They are hits of the lookups, too. */
    experimentSemantic: "embedding_experiment_semantic_answers_total",
    /** Counter of items that are in no arm, by `experiment` and `reason` (OUTSIDE_REASONS). */
    experimentOutside: "embedding_experiment_outside_lookups_total",
    /** Counter of clients' verdicts with unit user, by `experiment`, `arm`, `block` and `verdict` (FEEDBACK_VERDICTS). */
    experimentVerdicts: "embedding_experiment_verdicts_total",
    /** Histogram by `experiment` and `arm`: seconds of requests with one item. */
    experimentTime: "embedding_experiment_response_seconds",

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

    /** Counter of HTTP requests for embeddings, by `route` and `code`: load and error rate of the service. */
    requests: "embedding_requests_total",
    /** Counter of HTTP requests on other routes, by `route` (OTHER_ROUTES) and `code`. Probes and scrapes are not counted. */
    otherRequests: "embedding_other_requests_total",
    /**
     * Histogram by `route` and `result` (CACHE_RESULTS): seconds from the last byte of the request to the
     * last byte of the response handed to the kernel. A request with several results counts as the slowest.
     */
    responseTime: "embedding_response_time_seconds",
    /** Gauge: requests in flight. */
    inFlight: "embedding_requests_in_flight",
    /** Counter of requests rejected by a tenant's limits, by `tenant` and `reason` (REJECTION_REASONS). */
    rejected: "embedding_requests_rejected_total",

    /**
     * Gauge by `setting` (RUNTIME_SETTINGS) and `source`: the value in force, from the config or tuned, or those of the arms
     * of an experiment.
     */
    settingValue: "embedding_setting_value",
    /** Gauge by `setting` (RUNTIME_SETTINGS): the configured value, which is in force unless it is tuned or varied. */
    settingConfigured: "embedding_setting_configured_value",

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

    /** Counter of texts in semantic mode that the exact caches did not have, by `outcome` (SEMANTIC_OUTCOMES). */
    semanticLookups: "embedding_semantic_lookups_total",
    /** Histogram: seconds until semantic reuse decided about the texts of a request. */
    semanticLookupTime: "embedding_semantic_lookup_seconds",
    /** Gauge: 1 while the thread of semantic reuse answers lookups, 0 otherwise; absent if service.semanticMode is off. */
    semanticUp: "embedding_semantic_up",
    /** Gauges by `tenant` (the pool): entries, 1 while answers are served, and whether the error budget was exhausted. */
    semanticEntries: "embedding_semantic_entries",
    semanticServing: "embedding_semantic_serving",
    semanticExhausted: "embedding_semantic_exhausted",
    /** Gauges by `tenant`, 0–1: upper bound on the share of wrong answers, and the budget that it must not exceed. */
    semanticErrorBound: "embedding_semantic_error_bound",
    semanticErrorBudget: "embedding_semantic_error_budget",
    /** Gauge by `tenant`, 0–1: mean overlap@10 of answers that count as right; absent unless that is calibrated. */
    semanticOverlap: "embedding_semantic_overlap",

    /** Info metric, 1, labelled `colour`, `version`, `provider`, `model`, `revision`. */
    buildInfo: "embedding_build_info",
} as const;

/** Values of the `result` label, fastest first. */
export const CACHE_RESULTS = [
    "hit_l1",
    "hit_l2",
    "semantic",
    "coalesced",
    "stale",
    "miss",
    "error",
] as const;

export type CacheResult = (typeof CACHE_RESULTS)[number];

/** Results that needed no upstream call of their own. */
export const SAVING_RESULTS = ["hit_l1", "hit_l2", "semantic", "coalesced", "stale"] as const;

/**
 * Why a key was fetched from the upstream. `cold`: no request for it is known. `expired`: its entry reached the end of its
 * lifetime. `evicted`: Redis removed its entry before, to free memory. `invalidated`: its entry must not be served, since it
 * was flagged or deleted, an epoch was incremented, or its build is quarantined. `not_stored`: it was requested before, and
 * no entry was stored: the fetch failed, Redis did not accept the write, or a vector of similar texts answered (SEMANTIC),
 * which is never stored. `unknown`: none of these is certain.
 */
export const MISS_REASONS = [
    "cold",
    "expired",
    "evicted",
    "invalidated",
    "not_stored",
    "unknown",
] as const;

export type MissReason = (typeof MISS_REASONS)[number];

/** `reuse_time`: misses, reuse times and fetches, shared by all pods. `reuse_distance`: of each pod. */
export const GHOSTS = ["reuse_time", "reuse_distance"] as const;

/** Groups of sampled keys; each has the same share of all keys. */
export const GHOST_GROUPS = 8;

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** Lifetimes of entries whose fetches are counted, in seconds. */
export const GHOST_TTLS_SECONDS = [
    HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    3 * DAY,
    5 * DAY,
    7 * DAY,
    10 * DAY,
    14 * DAY,
    21 * DAY,
    30 * DAY,
] as const;

/** Upper bounds in seconds. */
export const REUSE_TIME_BUCKETS = [60, 600, ...GHOST_TTLS_SECONDS] as const;

/** Upper bounds in entries of a local cache. For smaller ones, too few of their keys are sampled. */
export const REUSE_DISTANCE_BUCKETS = [
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000,
] as const;

/** A client's feedback on a result. */
export const FEEDBACK_VERDICTS = ["relevant", "irrelevant"] as const;

export type FeedbackVerdict = (typeof FEEDBACK_VERDICTS)[number];

/** Source of the vectors that the feedback is about, if the client states it. */
export const FEEDBACK_SOURCES = ["exact", "semantic", "unknown"] as const;

export type FeedbackSource = (typeof FEEDBACK_SOURCES)[number];

/**
 * Purpose of an upstream call: a client request; the audit of a semantic answer, which a request waits for; the
 * refresh of an entry; a warm-up; or a probe of an endpoint, which is no tenant's.
 */
export const PURPOSES = ["request", "audit", "refresh", "warmup", "probe"] as const;

export type Purpose = (typeof PURPOSES)[number];

/** Purposes of calls that would be paid without a cache, too. */
export const REQUEST_PURPOSES = ["request", "audit"] as const;

/**
 * Outcome for a text: it was answered; its answer was audited; or it was rejected, because its neighbours
 * contradict it, it has none, the gate expects too large an error, the budget is not open, or the text, the request
 * or the state of the thread does not permit a lookup.
 */
export const SEMANTIC_OUTCOMES = [
    "served",
    "audited",
    "veto",
    "no_neighbour",
    "gate",
    "learning",
    "exhausted",
    "not_applicable",
    "flagged",
    "busy",
    "timeout",
    "unavailable",
] as const;

export type SemanticOutcome = (typeof SEMANTIC_OUTCOMES)[number];

/** `pod`: cost per pod, to be summed. `storage`: cost shared by all pods, exported by each pod. */
export const OVERHEAD_KINDS = ["pod", "storage"] as const;

/** Values of the `route` label of METRICS.otherRequests. `admin`, `automation`: of the port. `unmatched`: of no route. */
export const OTHER_ROUTES = [
    PATHS.feedback,
    PATHS.models,
    "admin",
    "automation",
    "unmatched",
] as const;

export type OtherRoute = (typeof OTHER_ROUTES)[number];

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
