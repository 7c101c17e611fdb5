import { perColour } from "./colours.ts";

/** The namespaces of the platform. Every object of the program lives in one of them. */
export const NAMESPACES = {
    blue: "property-search-blue",
    green: "property-search-green",
    edge: "property-search-edge",
    data: "property-search-data",
    monitoring: "property-search-monitoring",
} as const;

export type NamespaceRole = keyof typeof NAMESPACES;

/** Namespace of the stack's own cert-manager, if it runs one. */
export const CERTIFICATES_NAMESPACE = "property-search-certificates";

/** Namespace of the example, a property search, if the stack runs it. */
export const EXAMPLE_NAMESPACE = "property-search-example";

/** Deployment, Service and HTTPRoute of the example. */
export const EXAMPLE_NAME = "property-search";

/** Tenant of the service that the example is. */
export const EXAMPLE_TENANT = EXAMPLE_NAME;

/** Secret with the API keys of the example. */
export const EXAMPLE_SECRET = {
    name: EXAMPLE_NAME,
    embeddingApiKey: "embedding-api-key",
    chatApiKey: "chat-api-key",
} as const;

/** Name of a colour's Deployment, Service, autoscaler, disruption budget and service account. */
export const SERVICE_NAMES = perColour((colour) => `embedding-service-${colour}`);

/** Service of Redis in the data namespace; each colour has an alias of the same name. */
export const REDIS_NAME = "redis-cluster";

/** The HTTPRoute whose weights split the traffic, and its Gateway. */
export const ROUTE_NAME = "embedding-service";
export const GATEWAY_NAME = "embedding-gateway";

/** The HTTPRoute of the page of insights. */
export const IMPACT_ROUTE_NAME = "insights";

/** Annotation of the Gateway: its public base URL; the host is HOST if the Gateway serves any host name. */
export const PUBLIC_URL_ANNOTATION = "property-search.io/public-url";

/** Secret in each colour's namespace with the bearer tokens of the pods' admin and automation ports. */
export const ADMIN_SECRET = {
    name: "service-admin",
    key: "token",
    automationKey: "automation-token",
} as const;

/** Insights, in the monitoring namespace: the page with its Service, and the CronJob of the daily analysis. */
export const INSIGHTS_NAMES = { page: "insights", daily: "insights-daily" } as const;

/** Secret with the tokens of insights. */
export const INSIGHTS_SECRET = {
    name: "insights",
    accessToken: "access-token",
    automationToken: "automation-token",
    slackUrl: "slack-url",
} as const;

/** Workloads of the monitoring stack, in the monitoring namespace except the exporter, which runs in the namespace of Redis. */
export const MONITORING_NAMES = {
    prometheus: "prometheus",
    alertmanager: "alertmanager",
    grafana: "grafana",
    kubeStateMetrics: "kube-state-metrics",
    redisExporter: "redis-exporter",
} as const;

/** ConfigMap with the URL of an external Prometheus, and Secret with its token, in the monitoring namespace. */
export const PROMETHEUS_ACCESS = { name: "prometheus-access", url: "url", token: "token" } as const;

/** UID of the Prometheus data source in Grafana. */
export const DATA_SOURCE_UID = "prometheus";
