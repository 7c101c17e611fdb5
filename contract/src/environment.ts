/**
 * Environment of the service's container: written by the colour component, read by the service.
 * Passwords and keys come from Secrets by `secretKeyRef`, so that REDIS_URL never holds one.
 */
export const ENVIRONMENT = {
    port: "PORT",
    colour: "COLOUR",
    version: "VERSION",
    /**
     * `redis://host:port`, `rediss://…` for TLS; several with commas between: nodes of the cluster, or
     * the sentinels. Empty or absent: no Redis.
     */
    redisUrl: "REDIS_URL",
    /** `standalone` (default), `cluster` or `sentinel`. */
    redisMode: "REDIS_MODE",
    redisUsername: "REDIS_USERNAME",
    redisPassword: "REDIS_PASSWORD",
    /**
     * Folder with the files `username`, `password` and, where sentinels want one, `sentinel-password`, in the
     * place of the variables. They are read at each connection, so that another password needs no other pod.
     */
    redisCredentialsDirectory: "REDIS_CREDENTIALS_DIR",
    /** Name under which the sentinels know the primary and its replicas. */
    redisSentinelMaster: "REDIS_SENTINEL_MASTER",
    /** Of the sentinels themselves; absent: they want none. */
    redisSentinelPassword: "REDIS_SENTINEL_PASSWORD",
    /** PEM file of the authorities that sign the certificate of Redis; absent: those of Node. */
    redisCaFile: "REDIS_CA_FILE",
    /** PEM files of the certificate that Redis asks its clients for, and of its key. */
    redisCertFile: "REDIS_CERT_FILE",
    redisKeyFile: "REDIS_KEY_FILE",
    /** Seconds. */
    cacheTtl: "CACHE_TTL",
    /** Seconds that an entry is kept after CACHE_TTL, for when the upstream fails. */
    cacheStale: "CACHE_STALE",
    /** `float32` (default), `float16` or `int8`: how vectors are stored in Redis. */
    cachePrecision: "CACHE_PRECISION",
    /**
     * What texts are stripped of before they are keyed and embedded, with commas between: `case`,
     * `punctuation`. Empty or absent: nothing.
     */
    textFolding: "TEXT_FOLDING",
    /** Origins, with commas between, whose pages may read the answers; `*`: all. Empty or absent: none. */
    corsOrigins: "CORS_ORIGINS",
    /** Entries. */
    maxLocalCacheSize: "MAX_LOCAL_CACHE_SIZE",
    /** Dollars per request that reaches the upstream: the flat price, where there are no token prices. */
    costPerRequest: "EMBEDDING_COST_PER_REQUEST",
    /** Dollars per million tokens from a date on, oldest first: `2024-01-25=0.02,2027-01-01=0.015`. */
    tokenPrices: "EMBEDDING_TOKEN_PRICES",
    /** Dollars an hour that one pod costs, and that Redis and the rest cost all pods together. */
    podCostPerHour: "POD_COST_PER_HOUR",
    storageCostPerHour: "STORAGE_COST_PER_HOUR",
    /** Base URL of an OpenTelemetry collector's OTLP/HTTP; absent: no tracing. OpenTelemetry's own names. */
    otlpEndpoint: "OTEL_EXPORTER_OTLP_ENDPOINT",
    /** Share of requests that are traced where their client has not decided, 0 to 1. */
    traceShare: "OTEL_TRACES_SAMPLER_ARG",
    /** `local` (the model in this process's worker threads) or `openai` (any compatible API). */
    provider: "EMBEDDING_PROVIDER",
    /** Model name that clients ask for and that is sent upstream. */
    model: "EMBEDDING_MODEL",
    /** Base URL of the upstream with its version path, such as `https://host/v1`. */
    upstreamUrl: "UPSTREAM_URL",
    /** Base URLs, with commas between, that serve the same model at the same revision. */
    upstreamFallbackUrls: "UPSTREAM_FALLBACK_URLS",
    upstreamApiKey: "UPSTREAM_API_KEY",
    /** Keys of the fallbacks in the order of their URLs, with commas between; nothing for one that wants none. */
    upstreamFallbackApiKeys: "UPSTREAM_FALLBACK_API_KEYS",
    /** Most inputs of one call, 1 to 2,048; smaller limits of the provider are learned. */
    upstreamBatchSize: "UPSTREAM_BATCH_SIZE",
    /** Forward proxies to the upstream, and hosts that are reached without one: the usual names. */
    httpProxy: "HTTP_PROXY",
    httpsProxy: "HTTPS_PROXY",
    noProxy: "NO_PROXY",
    /** Names the upstream model's weights; a new one leaves all older vectors behind. */
    revision: "EMBEDDING_REVISION",
    /** Folder with model.onnx and tokenizer.json. */
    modelDirectory: "MODEL_DIR",
    /** Worker threads of the local model. */
    modelThreads: "MODEL_THREADS",
    /** Seconds that SIGTERM waits for open requests before it closes them. */
    drainTimeout: "DRAIN_TIMEOUT",
    /** File that lists the tenants with the hashes of their keys. */
    tenantsFile: "TENANTS_FILE",
    /** `true`: who sends no key is served too. */
    anonymous: "ANONYMOUS",
    logLevel: "LOG_LEVEL",
    /** Bearer token of the admin port; absent: there is no such port. */
    adminToken: "ADMIN_TOKEN",
    adminPort: "ADMIN_PORT",
} as const;
