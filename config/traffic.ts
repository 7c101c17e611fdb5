import type { NetworkFlows } from "../components/networkPolicies.ts";
import type { CertManagerFlows } from "../components/networkPolicies/certManager.ts";
import type { CertificatesConfig } from "./certificates.ts";
import { destinationsOf } from "./connections.ts";
import type { StackConfig } from "../config.ts";

type Settings = Pick<
    StackConfig,
    | "service"
    | "redis"
    | "edge"
    | "certificates"
    | "monitoring"
    | "insights"
    | "example"
    | "network"
>;

/** The connections that a config needs, and that network policies have to allow. */
export function allowedConnections(config: Settings): NetworkFlows {
    const { edge, certificates, network } = config;
    return {
        gateway: edge.proxies,
        dns: network.dns,
        externalRedis: destinationsOf(config, "redis"),
        upstream: destinationsOf(config, "upstream"),
        tracing: destinationsOf(config, "tracing"),
        redisZones: config.redis.mode === "cluster",
        acmeSolver: certificates !== undefined && isSolvedHere(certificates),
        insights: insightsConnections(config),
        example: exampleConnections(config),
        monitoring: monitoringConnections(config),
    };
}

/** An issuer of others may solve its challenges in the same way. */
function isSolvedHere({ secret, issuer }: CertificatesConfig): boolean {
    if (secret !== undefined || issuer.type === "selfSigned") return false;
    return issuer.type === "existing" || issuer.challenge.type === "http01";
}

/** Connections of the stack's own cert-manager. */
export function certManagerConnections(config: Settings): CertManagerFlows {
    const { certificates, edge, monitoring } = config;
    const issuer = certificates?.issuer;
    return {
        apiServerCidrs: monitoring.apiServerCidrs,
        acme: destinationsOf(config, "acme"),
        challenge: issuer?.type === "acme" ? issuer.challenge.type : undefined,
        publicHttpPort: edge.publicHttpPort,
    };
}

function insightsConnections(config: Settings): NetworkFlows["insights"] {
    const { insights, monitoring } = config;
    if (!insights || !monitoring.enabled) return undefined;
    return {
        exposed: insights.expose,
        prometheus: destinationsOf(config, "prometheus"),
        slack: insights.slackUrl === undefined ? [] : destinationsOf(config, "slack"),
    };
}

function exampleConnections(config: Settings): NetworkFlows["example"] {
    const { example, monitoring } = config;
    if (!example) return undefined;
    return {
        embeddings: destinationsOf(config, "embeddings"),
        chat: destinationsOf(config, "chat"),
        scraped: monitoring.enabled && !monitoring.existing,
    };
}

function monitoringConnections(config: Settings): NetworkFlows["monitoring"] {
    const { enabled, prometheus, existing, alertmanager, grafana, readers, apiServerCidrs } =
        config.monitoring;
    return {
        readers,
        apiServerCidrs,
        exporter: enabled,
        grafana: enabled && grafana !== undefined,
        ...(existing && { existingNamespace: existing.namespace }),
        remoteWrite: destinationsOf(config, "remoteWrite"),
        receivers: [
            ...(alertmanager.slackUrl === undefined ? [] : destinationsOf(config, "slack")),
            ...destinationsOf(config, "webhook"),
            ...destinationsOf(config, "watchdog"),
        ],
        ...(prometheus.gateway && { gatewayPort: prometheus.gateway.port }),
    };
}
