/** Paths of the embedding service. */
export const PATHS = {
    /** `{"text"}` or `{"texts": […]}`, and `user` */
    embed: "/embed",
    /** OpenAI's embeddings contract. */
    embeddings: "/v1/embeddings",
    /** `{"verdict", "requestId", "user"}`: a client's feedback on a result. */
    feedback: "/v1/feedback",
    /** OpenAI's list of models. */
    models: "/v1/models",
    /** OpenAI's API as Azure's clients call it, with the model's name in the path or in the body. */
    azureDeployments: "/openai/deployments",
    azureEmbeddings: "/openai/v1/embeddings",
    /** Liveness: whether the process makes progress. Independent of everything outside the process. */
    live: "/livez",
    /** Readiness: whether this pod accepts traffic; not while it starts or drains. */
    ready: "/readyz",
    /** Startup: whether the pod has loaded its model and its hot keys. */
    startup: "/startupz",
    /** Human-readable status: version, colour, model, Redis and upstream. */
    health: "/health",
    metrics: "/metrics",
} as const;

/** Paths that the Gateway exposes, exactly or as prefixes; all others are cluster-internal. */
export const PUBLIC_PATHS = {
    exact: [PATHS.embed, PATHS.embeddings, PATHS.azureEmbeddings, PATHS.feedback, PATHS.health],
    prefix: [PATHS.models, PATHS.azureDeployments],
} as const;

/** Prefix of all paths of the page of insights and its API, on a port of their own. */
export const IMPACT_PREFIX = "/impact";

/** Paths of the example behind the Gateway: the page exactly, its API as a prefix. */
export const EXAMPLE_PATHS = { page: "/", api: "/api" } as const;

/** Prefix of all paths of the admin port. */
export const ADMIN_PREFIX = "/admin/v1";

/** Admin paths used by a release and by the tuner, below ADMIN_PREFIX; `buildId` as in the response of GET /builds. */
export const ADMIN_PATHS = {
    /** GET: this pod's build, and the quarantine records of all builds. */
    builds: "/builds",
    /** PUT: quarantines the entries of this build. */
    quarantine: (buildId: string) => `/quarantines/${buildId}`,
    /** PUT: lets all builds serve the entries of this build. */
    promotion: (buildId: string) => `/quarantines/${buildId}/promotion`,
    /** GET, PUT: settings that change at run time. */
    settings: "/settings",
    /** PUT: stops or allows their tuning. */
    tuning: "/settings/tuning",
    /** GET, PUT: terms that mean the same, contradict each other, or name a place. */
    conceptRules: "/semantic/rules",
    /** GET: terms by which texts of audited answers differed. */
    termPairs: "/semantic/term-pairs",
} as const;

/** Header names, in lower case as they appear on the wire. */
export const HEADERS = {
    /** Request: `blue` or `green` selects that colour regardless of the weights. */
    previewColour: "x-preview-colour",
    /** Response: the colour that answered. Traffic shares are measured by it. */
    servedBy: "x-served-by",
    /** Response: version of the service that answered. */
    servedVersion: "x-served-version",
    /**
     * Response: source of the vectors (CACHE_STATUSES); a batch lists each source once. Request for feedback: that of
     * the vectors that it is about.
     */
    cache: "x-cache",
    /** Request: one of CACHE_MODES. Ignored while service.semanticMode is off. */
    cacheMode: "x-cache-mode",
    /** Response with SEMANTIC vectors: the lowest cosine of a text to the text that its vector is based on. */
    similarity: "x-cache-similarity",
    /** Response with SEMANTIC vectors: upper bound on the share of wrong answers, at a confidence of 0.95. */
    errorBound: "x-cache-error-bound",
    /** Response: number of texts that the model truncated; absent if none. */
    truncated: "x-truncated",
    /** Request and response: correlation ID; the service generates one if the request has none. */
    requestId: "x-request-id",
} as const;

/**
 * Status of a gateway whose connection to a pod was lost. The service never sends this status, so that the
 * edge can retry on it safely.
 */
export const CONNECTION_LOST_STATUS = 502;

/** Values of the `x-cache` response header, fastest first. SEMANTIC: the vector was predicted from similar texts. */
export const CACHE_STATUSES = [
    "HIT-L1",
    "HIT-L2",
    "SEMANTIC",
    "COALESCED",
    "STALE",
    "MISS",
] as const;

export type CacheStatus = (typeof CACHE_STATUSES)[number];

/** Values of the `x-cache-mode` request header, and of a tenant's cacheMode. */
export const CACHE_MODES = ["exact", "semantic"] as const;

export type CacheMode = (typeof CACHE_MODES)[number];
