/** Paths of the embedding service. */
export const PATHS = {
    /** `{"text"}` or `{"texts": […]}` */
    embed: "/embed",
    /** OpenAI's embeddings contract. */
    embeddings: "/v1/embeddings",
    /** OpenAI's list of models. */
    models: "/v1/models",
    /** OpenAI's contract as Azure's clients speak it: with the model's name in the path, or in the body. */
    azureDeployments: "/openai/deployments",
    azureEmbeddings: "/openai/v1/embeddings",
    /** Does the process still make progress? Never depends on anything outside of it. */
    live: "/livez",
    /** Should this pod get traffic now? False while starting and while draining. */
    ready: "/readyz",
    /** Has the pod finished loading its model and its hot keys? */
    startup: "/startupz",
    /** For people: version, colour, model, state of Redis and of the upstream. */
    health: "/health",
    metrics: "/metrics",
} as const;

/** Paths that the Gateway exposes, and of some all that is below them; the rest stays inside the cluster. */
export const PUBLIC_PATHS = {
    exact: [PATHS.embed, PATHS.embeddings, PATHS.azureEmbeddings, PATHS.health],
    prefix: [PATHS.models, PATHS.azureDeployments],
} as const;

/** All paths of the admin port are below it. */
export const ADMIN_PREFIX = "/admin/v1";

/** Those below ADMIN_PREFIX that a release goes by; `writer` as GET /writers tells it. */
export const ADMIN_PATHS = {
    /** GET: the build of this pod's own entries, and what is known of all builds. */
    writers: "/writers",
    /** PUT: the entries of this build are on trial. */
    trial: (writer: string) => `/trials/${writer}`,
    /** PUT: the entries of this build may be served by everybody. */
    promotion: (writer: string) => `/trials/${writer}/promotion`,
} as const;

/** Header names, in lower case as they appear on the wire. */
export const HEADERS = {
    /** Request: `blue` or `green` goes to that colour whatever the weights are. */
    previewColour: "x-preview-colour",
    /** Response: the colour that answered; shares are counted by it. */
    servedBy: "x-served-by",
    /** Response: version of the service that answered. */
    servedVersion: "x-served-version",
    /** Response: where the vectors came from, see CACHE_STATUSES; a batch lists each kind once. */
    cache: "x-cache",
    /** Response: how many of the texts the model read only the beginning of; absent where it read all. */
    truncated: "x-truncated",
    /** Request and response: one request in both sides' logs; a request without it gets one. */
    requestId: "x-request-id",
} as const;

/**
 * What a gateway answers when the connection to its pod breaks. The service itself never does, so that an
 * edge may send a request again by it: the connection broke, and nobody else has failed.
 */
export const CONNECTION_LOST_STATUS = 502;

/** Values of the `x-cache` response header, best first. */
export const CACHE_STATUSES = ["HIT-L1", "HIT-L2", "COALESCED", "STALE", "MISS"] as const;

export type CacheStatus = (typeof CACHE_STATUSES)[number];
