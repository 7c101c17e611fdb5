import { COLOURS } from "../colours.ts";
import { PORTS } from "../ports.ts";
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
    NAME,
    oneOf,
    PORT,
    PROXY_WITH_LOGIN,
    RATIO,
    someOf,
    TEXT,
    token,
} from "./kinds.ts";
import type { Setting, ValuesOf } from "./setting.ts";

/** Ways in which Redis is found and connected to. */
export const REDIS_MODES = ["standalone", "cluster", "sentinel"] as const;
/** How the numbers of a stored vector are written. */
export const PRECISIONS = ["float32", "float16", "int8"] as const;
/** What may be taken from texts so that more of them share an entry. */
export const FOLDINGS = ["case", "punctuation"] as const;
export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "silent"] as const;

const usedWith = (provider: "local" | "openai") =>
    ["provider", (text: string) => text === provider] as const;
const usedWithTracing = ["tracingUrl", (text: string) => text !== ""] as const;

/** All settings of the service, in the order of the variables of its container. */
export const SERVICE_SETTINGS = {
    port: {
        env: "PORT",
        ...PORT,
        default: PORTS.service,
        description: "Port of the service.",
    },
    colour: {
        env: "COLOUR",
        ...oneOf(...COLOURS, "none"),
        default: "none",
        description: "Colour of the pod; none outside of a blue/green deployment.",
    },
    version: {
        env: "VERSION",
        ...TEXT,
        default: "dev",
        description: "Version of the service, in logs, headers and metrics.",
    },
    redisUrl: {
        env: "REDIS_URL",
        ...TEXT,
        isUrl: true,
        default: "",
        description:
            "URL of Redis, or URLs of cluster nodes or sentinels with commas between them. Not set: no Redis.",
    },
    redisMode: {
        env: "REDIS_MODE",
        ...oneOf(...REDIS_MODES),
        default: "standalone",
        description: "What REDIS_URL leads to.",
    },
    redisUsername: { env: "REDIS_USERNAME", ...TEXT, default: "", description: "User of Redis." },
    redisPassword: {
        env: "REDIS_PASSWORD",
        ...TEXT,
        default: "",
        secret: true,
        description: "Password of Redis. REDIS_URL never holds it.",
    },
    redisCredentialsDirectory: {
        env: "REDIS_CREDENTIALS_DIR",
        ...TEXT,
        default: "",
        description:
            "Directory with the files username, password and sentinel-password, in the place of the variables. " +
            "They are read at each connection, so that a new password needs no new pod.",
    },
    redisSentinelMaster: {
        env: "REDIS_SENTINEL_MASTER",
        ...TEXT,
        default: "",
        description: "The sentinels' name of the primary.",
    },
    redisSentinelPassword: {
        env: "REDIS_SENTINEL_PASSWORD",
        ...TEXT,
        default: "",
        secret: true,
        description: "Password of the sentinels themselves.",
    },
    redisCaFile: {
        env: "REDIS_CA_FILE",
        ...TEXT,
        default: "",
        description:
            "PEM file of the authorities that sign the certificate of Redis. Not set: those of Node.",
    },
    redisCertFile: {
        env: "REDIS_CERT_FILE",
        ...TEXT,
        default: "",
        description: "PEM file of the client certificate for Redis.",
    },
    redisKeyFile: {
        env: "REDIS_KEY_FILE",
        ...TEXT,
        default: "",
        description: "PEM file of that certificate's key.",
    },
    cacheTtlSeconds: {
        key: "service.cacheTtlSeconds",
        env: "CACHE_TTL",
        ...integer(60, 31_536_000, "seconds"),
        default: 604_800,
        description: "How long a cached vector is fresh.",
    },
    staleIfErrorSeconds: {
        key: "service.staleIfErrorSeconds",
        env: "STALE_IF_ERROR_SECONDS",
        ...integer(0, 31_536_000, "seconds"),
        default: 86_400,
        description:
            "How long a vector is kept after it is no longer fresh, to be served while the upstream fails.",
    },
    cachePrecision: {
        key: "service.cachePrecision",
        env: "CACHE_PRECISION",
        ...oneOf(...PRECISIONS),
        default: "float32",
        description:
            "Number format of the vectors in Redis. The shorter ones take half or a quarter of the memory; " +
            "docs/service/caching.md gives the loss of quality.",
    },
    textFolding: {
        key: "service.textFolding",
        env: "TEXT_FOLDING",
        ...someOf(...FOLDINGS),
        default: "",
        description:
            "What is removed from texts before they are looked up and embedded. It raises the hit rate, but the vector " +
            "is not exactly that of the text. Not set: nothing.",
    },
    corsOrigins: {
        key: "service.corsOrigins",
        env: "CORS_ORIGINS",
        ...CORS_ORIGINS,
        default: "",
        description: "Origins of web pages that may read responses (CORS). Not set: none.",
    },
    localCacheMaxEntries: {
        key: "service.localCacheMaxEntries",
        env: "MAX_LOCAL_CACHE_SIZE",
        ...integer(1, 1_000_000, "entries"),
        default: 2_000,
        description: "How many vectors each pod keeps in its own memory.",
    },
    costPerRequestDollars: {
        key: "service.costPerRequestDollars",
        env: "EMBEDDING_COST_PER_REQUEST",
        ...DOLLARS,
        default: "0.001",
        description: "Cost of a request to the upstream, where service.tokenPrices is not set.",
    },
    tokenPrices: {
        key: "service.tokenPrices",
        env: "EMBEDDING_TOKEN_PRICES",
        ...DATED_PRICES,
        default: "",
        description:
            "Prices of the upstream by token, each from a date on. Not set: service.costPerRequestDollars is the price.",
    },
    podCostPerHourDollars: {
        key: "service.podCostPerHourDollars",
        env: "POD_COST_PER_HOUR_DOLLARS",
        ...DOLLARS,
        default: "0",
        description: "Hourly cost of one pod of the service, subtracted from the savings.",
    },
    storageCostPerHourDollars: {
        key: "service.storageCostPerHourDollars",
        env: "STORAGE_COST_PER_HOUR_DOLLARS",
        ...DOLLARS,
        default: "0",
        description:
            "Hourly cost of Redis and of everything else that the pods share, subtracted from the savings.",
    },
    tracingUrl: {
        key: "tracing.url",
        env: "OTEL_EXPORTER_OTLP_ENDPOINT",
        ...ADDRESS,
        default: "",
        usedIf: usedWithTracing,
        description:
            "Base URL of an OpenTelemetry collector (OTLP over HTTP), such as http://collector.tracing.svc:4318, whose " +
            "pods network.destinations.tracing names. Not set: nothing is traced.",
    },
    tracingSampleRatio: {
        key: "tracing.sampleRatio",
        env: "OTEL_TRACES_SAMPLER_ARG",
        ...RATIO,
        default: "0.01",
        usedIf: usedWithTracing,
        description: "Share of requests that are traced where the client has not decided.",
    },
    provider: {
        key: "service.provider",
        env: "EMBEDDING_PROVIDER",
        ...oneOf("local", "openai"),
        default: "local",
        description: "Source of vectors: the model in the pod, or an OpenAI-compatible API.",
    },
    model: {
        key: "service.model",
        env: "EMBEDDING_MODEL",
        ...NAME,
        default: "all-MiniLM-L6-v2",
        description: "Name of the embedding model.",
    },
    modelDirectory: {
        env: "MODEL_DIR",
        ...TEXT,
        default: "",
        description: "Directory with model.onnx and tokenizer.json.",
    },
    modelThreads: {
        key: "service.modelThreads",
        env: "MODEL_THREADS",
        ...integer(1, 16),
        default: 1,
        usedIf: usedWith("local"),
        description: "Worker threads of the local model in each pod.",
    },
    upstreamUrl: {
        key: "service.upstreamUrl",
        env: "UPSTREAM_URL",
        ...API_ADDRESS,
        default: "",
        usedIf: usedWith("openai"),
        description:
            "Base URL of the API with its version path, such as https://host/v1, and with ?api-version= for Azure; " +
            "required when service.provider is openai. docs/service/upstreams.md lists the URLs of providers.",
    },
    upstreamFallbackUrls: {
        key: "service.upstreamFallbackUrls",
        env: "UPSTREAM_FALLBACK_URLS",
        ...API_ADDRESSES,
        default: "",
        usedIf: usedWith("openai"),
        description:
            "Base URLs that serve the same model at the same revision. Each is used only after it has returned the " +
            "same vector as service.upstreamUrl for the same text, where there is one to compare with.",
    },
    upstreamBatchSize: {
        key: "service.upstreamBatchSize",
        env: "UPSTREAM_BATCH_SIZE",
        ...integer(1, 2_048, "inputs"),
        default: 256,
        usedIf: usedWith("openai"),
        description:
            "Most inputs of one call of the API. A smaller limit of the API is learned from its errors.",
    },
    httpProxy: {
        env: "HTTP_PROXY",
        ...PROXY_WITH_LOGIN,
        default: "",
        usedIf: usedWith("openai"),
        description: "Forward proxy to upstreams with http URLs.",
    },
    httpsProxy: {
        env: "HTTPS_PROXY",
        ...PROXY_WITH_LOGIN,
        default: "",
        usedIf: usedWith("openai"),
        description: "Forward proxy to upstreams with https URLs.",
    },
    noProxy: {
        env: "NO_PROXY",
        ...TEXT,
        default: "",
        description: "Hosts that are reached without a proxy, with commas between them.",
    },
    revision: {
        key: "service.revision",
        env: "EMBEDDING_REVISION",
        ...NAME,
        default: "",
        usedIf: usedWith("openai"),
        description:
            "Revision of the weights of the API's model. With another one, cached vectors are no longer used. " +
            "Not set: the host and path of the URL.",
    },
    upstreamApiKey: {
        key: "service.upstreamApiKey",
        env: "UPSTREAM_API_KEY",
        ...API_KEY,
        default: "",
        secret: true,
        usedIf: usedWith("openai"),
        description:
            "API key of service.upstreamUrl, set with --secret; required when service.provider is openai.",
    },
    upstreamFallbackApiKeys: {
        key: "service.upstreamFallbackApiKeys",
        env: "UPSTREAM_FALLBACK_API_KEYS",
        ...API_KEYS,
        default: "",
        secret: true,
        usedIf: usedWith("openai"),
        description:
            "API keys of the fallbacks in the order of their URLs, set with --secret. service.upstreamApiKey is sent to " +
            "no other host than that of service.upstreamUrl.",
    },
    drainTimeoutSeconds: {
        key: "service.drainTimeoutSeconds",
        env: "DRAIN_TIMEOUT_SECONDS",
        ...integer(1, 300, "seconds"),
        default: 30,
        description:
            "How long a pod that terminates waits for its open requests before it closes them.",
    },
    tenantsFile: {
        env: "TENANTS_FILE",
        ...TEXT,
        default: "",
        description: "File that lists the tenants with the hashes of their API keys.",
    },
    anonymous: {
        key: "tenants.anonymous",
        env: "ANONYMOUS",
        ...BOOLEAN,
        default: false,
        description: "Whether requests without an API key are served.",
    },
    logLevel: {
        key: "service.logLevel",
        env: "LOG_LEVEL",
        ...oneOf(...LOG_LEVELS),
        default: "info",
        description: "Lowest level of the messages that the service logs.",
    },
    adminToken: {
        key: "admin.token",
        env: "ADMIN_TOKEN",
        ...token(32, "a token"),
        default: "",
        secret: true,
        description:
            "Bearer token of the service's admin port, which only port-forwarding reaches. Generated on the stack's " +
            "first deploy.",
    },
    adminPort: {
        env: "ADMIN_PORT",
        ...PORT,
        default: PORTS.admin,
        description: "Port of the admin API, on the pod's loopback interface.",
    },
} as const satisfies Readonly<Record<string, Setting>>;

export type ServiceSettings = ValuesOf<typeof SERVICE_SETTINGS>;
