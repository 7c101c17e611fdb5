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

/** Namespace of the stack's own cert-manager, where it has one. */
export const CERTIFICATES_NAMESPACE = "property-search-certificates";

/** Name of a colour's Deployment, Service, autoscaler, disruption budget and service account. */
export const SERVICE_NAMES = perColour((colour) => `embedding-service-${colour}`);

/** Redis, under the same name in the data namespace and (as an alias) in each colour. */
export const REDIS_NAME = "redis-cluster";

/** The route whose weights divide the traffic, and the Gateway it hangs on. */
export const ROUTE_NAME = "embedding-service";
export const GATEWAY_NAME = "embedding-gateway";

/** Annotation of the Gateway: base URL by which clients reach it; its host is HOST where any name is served. */
export const PUBLIC_URL_ANNOTATION = "property-search.io/public-url";

/** Secret in each colour's namespace with the bearer token of the pods' admin port. */
export const ADMIN_SECRET = { name: "service-admin", key: "token" } as const;

/** What watches the platform: Service and pods, in the monitoring namespace but the exporter, beside Redis. */
export const MONITORING_NAMES = {
    prometheus: "prometheus",
    alertmanager: "alertmanager",
    grafana: "grafana",
    kubeStateMetrics: "kube-state-metrics",
    redisExporter: "redis-exporter",
} as const;

/** ConfigMap with the URL of an existing Prometheus, in the namespace of monitoring, and Secret with its token. */
export const PROMETHEUS_ACCESS = { name: "prometheus-access", url: "url", token: "token" } as const;

/** By which dashboards name Prometheus as their source. */
export const DATA_SOURCE_UID = "prometheus";
