import type { Traffic } from "../components/networkPolicies.ts";
import { outside } from "../components/networkPolicies/policies.ts";
import type { StackConfig } from "../config.ts";
import { destinationsOf } from "./connections.ts";

/** Its URL is a secret, and always HTTPS. */
const SLACK_PORT = 443;

type Settings = Pick<
    StackConfig,
    "service" | "redis" | "edge" | "certificates" | "monitoring" | "network"
>;

/** Who talks to whom under a config: the connections that network policies have to let through. */
export function trafficOf(config: Settings): Traffic {
    const { edge, certificates, network } = config;
    return {
        gateway: { namespace: edge.controllerNamespace, cidrs: edge.controllerCidrs },
        dns: network.dns,
        externalRedis: destinationsOf(config, "redis"),
        upstream: destinationsOf(config, "upstream"),
        tracing: destinationsOf(config, "tracing"),
        acme: certificates !== undefined && certificates.issuer !== "selfSigned",
        monitoring: monitoringTraffic(config),
    };
}

function monitoringTraffic(config: Settings): Traffic["monitoring"] {
    const { enabled, prometheus, existing, alertmanager, grafana, readers, apiServerCidrs } =
        config.monitoring;
    return {
        readers,
        apiServerCidrs,
        exporter: enabled,
        grafana: enabled && grafana !== undefined,
        ...(existing && { existingIn: existing.namespace }),
        remoteWrite: destinationsOf(config, "remoteWrite"),
        receivers: [
            ...(alertmanager.slackUrl === undefined ? [] : outside(SLACK_PORT)),
            ...destinationsOf(config, "webhook"),
            ...destinationsOf(config, "watchdog"),
        ],
        ...(prometheus.gateway && { gatewayPort: prometheus.gateway.port }),
    };
}
