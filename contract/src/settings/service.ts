import { COLOURS } from "../colours.ts";
import { EXPERIMENTS } from "../experiments.ts";
import { PORTS } from "../ports.ts";
import { RUNTIME_SETTING_BOUNDS } from "../runtimeSettings.ts";
import {
    ADDRESS,
    API_ADDRESS,
    API_ADDRESSES,
    API_KEY,
    API_KEYS,
    BOOLEAN,
    CORS_ORIGINS,
    DATED_PRICES,
    DOLLARS,
    integer,
    integerWithin,
    NAME,
    oneOf,
    PORT,
    PROXY_WITH_LOGIN,
    RATIO,
    share,
    someOf,
    TEXT,
    token,
} from "./kinds.ts";
import { setting, type Setting, type ValuesOf } from "./setting.ts";

/** Ways in which Redis is found and connected to. */
const REDIS_MODES = ["standalone", "cluster", "sentinel"] as const;
/** How the numbers of a stored vector are written. */
export const PRECISIONS = ["float32", "float16", "int8"] as const;
/** What may be taken from texts so that more of them share an entry. */
export const FOLDINGS = ["case", "punctuation"] as const;
/**
 * Whether similar texts may share a vector: never; in requests and for tenants that ask for it; or in all others than
 * those.
 */
export const SEMANTIC_MODES = ["off", "optIn", "optOut"] as const;
/** Whose wrong answers the error budget limits. */
export const ERROR_BUDGET_SCOPES = ["per-hit", "per-request"] as const;
export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "silent"] as const;

const usedWith = (provider: "local" | "openai") =>
    ["provider", (text: string) => text === provider] as const;
const usedWithReuse = ["semanticMode", (text: string) => text !== "off"] as const;
const usedWithTracing = ["tracingUrl", (text: string) => text !== ""] as const;

/** All settings of the service, in the order of the variables of its container. */
export const SERVICE_SETTINGS = {
    port: setting(PORT, PORTS.service, { env: "PORT" })`Port of the service.`,
    colour: setting(oneOf(...COLOURS, "none"), "none", { env: "COLOUR" })`
        Colour of the pod; none outside of a blue/green deployment.`,
    version: setting(TEXT, "dev", { env: "VERSION" })`
        Version of the service, in logs, headers and metrics.`,
    redisUrl: setting(TEXT, "", { env: "REDIS_URL", isUrl: true })`
        URL of Redis, or comma-separated URLs of cluster nodes or sentinels. Not set: no Redis.`,
    redisMode: setting(oneOf(...REDIS_MODES), "standalone", { env: "REDIS_MODE" })`
        Type of the Redis at REDIS_URL.`,
    redisUsername: setting(TEXT, "", { env: "REDIS_USERNAME" })`User of Redis.`,
    redisPassword: setting(TEXT, "", { env: "REDIS_PASSWORD", secret: true })`
        Password of Redis, if REDIS_URL contains none.`,
    redisCredentialsDirectory: setting(TEXT, "", { env: "REDIS_CREDENTIALS_DIR" })`
                Directory with the files username, password and sentinel-password, instead of the variables. They
        are read at each connection, so a new password needs no restart.`,
    redisSentinelMaster: setting(TEXT, "", { env: "REDIS_SENTINEL_MASTER" })`
        The sentinels' name of the primary.`,
    redisSentinelPassword: setting(TEXT, "", { env: "REDIS_SENTINEL_PASSWORD", secret: true })`
        Password of the sentinels themselves.`,
    redisCaFile: setting(TEXT, "", { env: "REDIS_CA_FILE" })`
        PEM file of the authorities that sign the certificate of Redis. Not set: those of Node.`,
    redisCertFile: setting(TEXT, "", { env: "REDIS_CERT_FILE" })`
        PEM file of the client certificate for Redis.`,
    redisKeyFile: setting(TEXT, "", { env: "REDIS_KEY_FILE" })`PEM file of that certificate's key.`,
    cacheTtlSeconds: setting(
        integerWithin(RUNTIME_SETTING_BOUNDS.cacheTtlSeconds, "seconds"),
        604_800,
        {
            key: "service.cacheTtlSeconds",
            env: "CACHE_TTL",
        },
    )`
        How long a cached vector is fresh.`,
    staleIfErrorSeconds: setting(integer(0, 31_536_000, "seconds"), 86_400, {
        key: "service.staleIfErrorSeconds",
        env: "STALE_IF_ERROR_SECONDS",
    })`
        How long a vector is kept after it is no longer fresh, to be served while the upstream fails.`,
    experiments: setting(EXPERIMENTS, "", {
        key: "service.experiments",
        env: "EXPERIMENTS",
    })`
                Experiments by text or by user as a JSON list, such as [{"name": "cache_ttl_optimization"}];
        docs/experiments.md describes them.`,
    cachePrecision: setting(oneOf(...PRECISIONS), "float32", {
        key: "service.cachePrecision",
        env: "CACHE_PRECISION",
    })`
        Number format of the vectors in Redis. The shorter ones take half or a quarter of the memory;
        docs/service/caching.md gives the loss of quality.`,
    textFolding: setting(someOf(...FOLDINGS), "", {
        key: "service.textFolding",
        env: "TEXT_FOLDING",
    })`
                What is removed from texts before they are looked up and embedded. It raises the hit rate, but the
        vector is not
        exactly that of the text. Not set: nothing.`,
    semanticMode: setting(oneOf(...SEMANTIC_MODES), "off", {
        key: "service.semanticMode",
        env: "SEMANTIC_MODE",
    })`
                Whether short texts may be answered with a vector that is predicted from those of similar texts.
        optIn: requests
        with the header x-cache-mode: semantic, and tenants with cacheMode semantic; optOut: all others than those with
        exact. docs/service/semantic.md describes it. It needs an API as the upstream.`,
    semanticErrorBudget: setting(share(0.001, 0.2), "0.02", {
        key: "service.semanticErrorBudget",
        env: "SEMANTIC_ERROR_BUDGET",
        usedIf: usedWithReuse,
    })`
        Largest share of wrong semantic answers. Above it, a tenant gets none.`,
    semanticErrorBudgetScope: setting(oneOf(...ERROR_BUDGET_SCOPES), "per-hit", {
        key: "service.semanticErrorBudgetScope",
        env: "SEMANTIC_ERROR_BUDGET_SCOPE",
        usedIf: usedWithReuse,
    })`
        Whether that is a share of the semantic answers or of all requests in semantic mode.`,
    semanticAuditShare: setting(share(0.005, 0.5), "0.02", {
        key: "service.semanticAuditShare",
        env: "SEMANTIC_AUDIT_SHARE",
        usedIf: usedWithReuse,
    })`
        Minimum share of the semantic answers that are sent upstream instead, to measure the error.`,
    semanticConfidence: setting(share(0.5, 0.99), "0.8", {
        key: "service.semanticConfidence",
        env: "SEMANTIC_CONFIDENCE",
        usedIf: usedWithReuse,
    })`
                Confidence with which the error must be within its budget for answers to be served. A higher
        confidence needs more audits and answers fewer texts.`,
    semanticMaxEntries: setting(integer(100, 200_000, "entries"), 10_000, {
        key: "service.semanticMaxEntries",
        env: "SEMANTIC_MAX_ENTRIES",
        usedIf: usedWithReuse,
    })`
        Maximum number of texts that each pod keeps to predict vectors from, for all tenants together.`,
    corsOrigins: setting(CORS_ORIGINS, "", { key: "service.corsOrigins", env: "CORS_ORIGINS" })`
        Origins of web pages that may read responses (CORS). Not set: none.`,
    localCacheMaxEntries: setting(
        integerWithin(RUNTIME_SETTING_BOUNDS.localCacheMaxEntries, "entries"),
        2_000,
        { key: "service.localCacheMaxEntries", env: "MAX_LOCAL_CACHE_SIZE" },
    )`
        How many vectors each pod keeps in its own memory.`,
    localCacheEntriesLimit: setting(
        integerWithin(RUNTIME_SETTING_BOUNDS.localCacheMaxEntries, "entries"),
        RUNTIME_SETTING_BOUNDS.localCacheMaxEntries.most,
        { env: "LOCAL_CACHE_ENTRIES_LIMIT" },
    )`
                How many vectors a pod of this memory can keep: the bound of MAX_LOCAL_CACHE_SIZE when it is changed
        at run time.`,
    costPerRequestDollars: setting(DOLLARS, "0.001", {
        key: "service.costPerRequestDollars",
        env: "EMBEDDING_COST_PER_REQUEST",
    })`
        Cost of a request to the upstream, where service.tokenPrices is not set.`,
    tokenPrices: setting(DATED_PRICES, "", {
        key: "service.tokenPrices",
        env: "EMBEDDING_TOKEN_PRICES",
    })`
        Prices of the upstream by token, each from a date on. Not set: service.costPerRequestDollars is the price.`,
    podCostPerHourDollars: setting(DOLLARS, "0", {
        key: "service.podCostPerHourDollars",
        env: "POD_COST_PER_HOUR_DOLLARS",
    })`
        Hourly cost of one pod of the service, subtracted from the savings.`,
    storageCostPerHourDollars: setting(DOLLARS, "0", {
        key: "service.storageCostPerHourDollars",
        env: "STORAGE_COST_PER_HOUR_DOLLARS",
    })`
        Hourly cost of Redis and of everything else that the pods share, subtracted from the savings.`,
    tracingUrl: setting(ADDRESS, "", {
        key: "tracing.url",
        env: "OTEL_EXPORTER_OTLP_ENDPOINT",
        usedIf: usedWithTracing,
    })`
        Base URL of an OpenTelemetry collector (OTLP over HTTP), such as http://collector.tracing.svc:4318, whose pods
        network.destinations.tracing names. Not set: nothing is traced.`,
    tracingSampleRatio: setting(RATIO, "0.01", {
        key: "tracing.sampleRatio",
        env: "OTEL_TRACES_SAMPLER_ARG",
        usedIf: usedWithTracing,
    })`
        Share of requests that are traced unless the client decides.`,
    provider: setting(oneOf("local", "openai"), "local", {
        key: "service.provider",
        env: "EMBEDDING_PROVIDER",
    })`
        Source of vectors: the model in the pod, or an OpenAI-compatible API.`,
    model: setting(NAME, "all-MiniLM-L6-v2", { key: "service.model", env: "EMBEDDING_MODEL" })`
        Name of the embedding model.`,
    modelDirectory: setting(TEXT, "", { env: "MODEL_DIR" })`
        Directory with model.onnx and tokenizer.json.`,
    modelThreads: setting(integer(1, 16), 1, {
        key: "service.modelThreads",
        env: "MODEL_THREADS",
        usedIf: usedWith("local"),
    })`
        Worker threads of the local model in each pod.`,
    upstreamUrl: setting(API_ADDRESS, "", {
        key: "service.upstreamUrl",
        env: "UPSTREAM_URL",
        usedIf: usedWith("openai"),
    })`
        Base URL of the API with its version path, such as https://host/v1, and with ?api-version= for Azure; required
        when service.provider is openai. docs/service/upstreams.md lists the URLs of providers.`,
    upstreamFallbackUrls: setting(API_ADDRESSES, "", {
        key: "service.upstreamFallbackUrls",
        env: "UPSTREAM_FALLBACK_URLS",
        usedIf: usedWith("openai"),
    })`
        Base URLs that serve the same model at the same revision. Each is used only after it has returned the same
        vector as service.upstreamUrl for the same text, where there is one to compare with.`,
    upstreamBatchSize: setting(integer(1, 2_048, "inputs"), 256, {
        key: "service.upstreamBatchSize",
        env: "UPSTREAM_BATCH_SIZE",
        usedIf: usedWith("openai"),
    })`
        Maximum number of inputs per call of the API. A smaller limit of the API is learned from its errors.`,
    httpProxy: setting(PROXY_WITH_LOGIN, "", { env: "HTTP_PROXY", usedIf: usedWith("openai") })`
        Forward proxy to upstreams with http URLs.`,
    httpsProxy: setting(PROXY_WITH_LOGIN, "", { env: "HTTPS_PROXY", usedIf: usedWith("openai") })`
        Forward proxy to upstreams with https URLs.`,
    noProxy: setting(TEXT, "", { env: "NO_PROXY" })`
        Hosts that are reached without a proxy, comma-separated.`,
    revision: setting(NAME, "", {
        key: "service.revision",
        env: "EMBEDDING_REVISION",
        usedIf: usedWith("openai"),
    })`
        Revision of the weights of the API's model. With another one, cached vectors are no longer used. Not set: the
        host and path of the URL.`,
    upstreamApiKey: setting(API_KEY, "", {
        key: "service.upstreamApiKey",
        env: "UPSTREAM_API_KEY",
        secret: true,
        usedIf: usedWith("openai"),
    })`
        API key of service.upstreamUrl, set with --secret; required when service.provider is openai.`,
    upstreamFallbackApiKeys: setting(API_KEYS, "", {
        key: "service.upstreamFallbackApiKeys",
        env: "UPSTREAM_FALLBACK_API_KEYS",
        secret: true,
        usedIf: usedWith("openai"),
    })`
        API keys of the fallbacks in the order of their URLs, set with --secret. service.upstreamApiKey is sent to no
        other host than that of service.upstreamUrl.`,
    drainTimeoutSeconds: setting(integer(1, 300, "seconds"), 30, {
        key: "service.drainTimeoutSeconds",
        env: "DRAIN_TIMEOUT_SECONDS",
    })`
        How long a terminating pod waits for its open requests before it closes them.`,
    tenantsFile: setting(TEXT, "", { env: "TENANTS_FILE" })`
        File that lists the tenants with the hashes of their API keys.`,
    anonymous: setting(BOOLEAN, false, { key: "tenants.anonymous", env: "ANONYMOUS" })`
        Whether requests without an API key are served.`,
    logLevel: setting(oneOf(...LOG_LEVELS), "info", { key: "service.logLevel", env: "LOG_LEVEL" })`
        Lowest level of the messages that the service logs.`,
    adminToken: setting(token(32, "a token"), "", {
        key: "admin.token",
        env: "ADMIN_TOKEN",
        secret: true,
    })`
        Bearer token of the service's admin port, which only port-forwarding reaches. Generated on the stack's first
        deploy.`,
    adminPort: setting(PORT, PORTS.admin, { env: "ADMIN_PORT" })`
        Port of the admin API, on the pod's loopback interface.`,
    automationToken: setting(token(32, "a token"), "", {
        key: "admin.automationToken",
        env: "AUTOMATION_TOKEN",
        secret: true,
    })`
                Bearer token of the service's automation port: the part of the admin API that insights uses, within
        the cluster.
        Pods have this port where insights.enabled is true. Generated on the stack's first deploy.`,
    automationPort: setting(PORT, PORTS.automation, { env: "AUTOMATION_PORT" })`
        Port of the automation API, the part of the admin API for programs of the stack, on all interfaces.`,
} satisfies Readonly<Record<string, Setting>>;

export type ServiceSettings = ValuesOf<typeof SERVICE_SETTINGS>;

export const DEFAULT_SETTINGS = Object.fromEntries(
    Object.entries(SERVICE_SETTINGS).map(([name, row]) => [name, row.default]),
) as ServiceSettings;
