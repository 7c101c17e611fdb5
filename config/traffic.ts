import type { Traffic } from "../components/networkPolicies.ts";
import type { StackConfig } from "../config.ts";
import type { MonitoringConfig } from "./monitoring.ts";
import type { ExternalRedisConfig } from "./redis.ts";

/** Its URL is a secret, and always HTTPS. */
const SLACK_PORT = 443;

/** Who talks to whom under a config: the connections that network policies have to let through. */
export function trafficOf({
    service,
    redis,
    edge,
    certificates,
    monitoring,
}: Pick<StackConfig, "service" | "redis" | "edge" | "certificates" | "monitoring">): Traffic {
    const { upstream } = service;
    return {
        gateway: { namespace: edge.controllerNamespace, cidrs: edge.controllerCidrs },
        ...(redis.mode === "external" && { externalRedisPorts: redisPorts(redis) }),
        ...(upstream.provider === "openai" && {
            upstreamPorts: portsOf([upstream.url, ...upstream.fallbackUrls.split(",")]),
        }),
        ...(service.tracing && { tracesPort: portOf(service.tracing.url) }),
        acme: certificates !== undefined && certificates.issuer !== "selfSigned",
        monitoring: monitoringTraffic(monitoring),
    };
}

function monitoringTraffic({
    enabled,
    prometheus: { gateway, remoteWrite },
    alertmanager: { receivers, slackUrl },
    grafana,
    readers,
    apiServerCidrs,
}: MonitoringConfig): Traffic["monitoring"] {
    const { webhookUrl, watchdogUrl } = receivers;
    const urls = [webhookUrl, watchdogUrl].filter((url) => url !== undefined);
    const slack = slackUrl === undefined ? [] : [SLACK_PORT];
    return {
        readers,
        apiServerCidrs,
        exporter: enabled,
        grafana: enabled && grafana !== undefined,
        receiverPorts: [...new Set([...slack, ...portsOf(urls)])],
        ...(gateway && { gatewayPort: gateway.port }),
        ...(remoteWrite && { remoteWritePort: portOf(remoteWrite.url) }),
    };
}

/** Those of the URLs, and that of the servers to which sentinels lead. */
function redisPorts({ url, sentinel }: ExternalRedisConfig): readonly number[] {
    const ports = portsOf(url.split(","));
    return [...new Set([...ports, ...(sentinel ? [sentinel.dataPort] : [])])];
}

function portsOf(urls: readonly string[]): readonly number[] {
    return [...new Set(urls.filter((url) => url !== "").map(portOf))];
}

function portOf(url: string): number {
    const { port, protocol } = new URL(url);
    return port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
}
