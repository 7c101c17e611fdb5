import type { Traffic } from "../components/networkPolicies.ts";
import type { StackConfig } from "../config.ts";
import type { ExternalRedisConfig } from "./redis.ts";

/** Who talks to whom under a config: the connections that network policies have to let through. */
export function trafficOf({
    service,
    redis,
    edge,
    certificates,
}: Pick<StackConfig, "service" | "redis" | "edge" | "certificates">): Traffic {
    const { upstream } = service;
    return {
        gateway: { namespace: edge.controllerNamespace, cidrs: edge.controllerCidrs },
        ...(redis.mode === "external" && { externalRedisPorts: portsOf(redis) }),
        ...(upstream.provider === "openai" && { upstreamPort: portOf(upstream.url) }),
        acme: certificates !== undefined && certificates.issuer !== "selfSigned",
    };
}

/** Those of the URLs, and that of the servers to which sentinels lead. */
function portsOf({ url, sentinel }: ExternalRedisConfig): number[] {
    return [...new Set([...url.split(",").map(portOf), ...(sentinel ? [sentinel.dataPort] : [])])];
}

function portOf(url: string): number {
    const { port, protocol } = new URL(url);
    return port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
}
