import { COLOURS, LABELS, NAMESPACES, PORTS, type NamespaceRole } from "@property-search/contract";
import type { GatewayProxies } from "./edge/controllers.ts";
import { certManagerPolicies, type CertManagerFlows } from "./networkPolicies/certManager.ts";
import { edgePolicies, gatewayPeers } from "./networkPolicies/edge.ts";
import {
    apiServerEgress,
    exporterPolicies,
    monitoringPolicies,
    type MonitoringFlows,
} from "./networkPolicies/monitoring.ts";
import {
    allowEgress,
    allowEgressTo,
    allowIngress,
    namespacePeer,
    SAME_NAMESPACE,
    tcp,
    udp,
    type Destination,
    type Peer,
    type PolicySpec,
} from "./networkPolicies/policies.ts";
import { FORMATION_NAME } from "./redis/pods.ts";

export interface NetworkFlows {
    readonly gateway: GatewayProxies;
    /** Where pods resolve names, over UDP and TCP. */
    readonly dns: readonly Destination[];
    /** A Redis of somebody else's; none: Redis is in the data namespace. */
    readonly externalRedis: readonly Destination[];
    /** The upstream API and its fallbacks; none: the model is in the pod. */
    readonly upstream: readonly Destination[];
    /** The OpenTelemetry collector; none: nothing is traced. */
    readonly tracing: readonly Destination[];
    /** Whether a Redis Cluster asks the API server for the zones of its nodes. */
    readonly redisZones: boolean;
    /** Whether certificate challenges are solved in the edge namespace. */
    readonly acmeSolver: boolean;
    readonly monitoring: Omit<MonitoringFlows, "gateway"> & {
        /** Port of the gateway's figures; undefined: it is not scraped. */
        readonly gatewayPort?: number | undefined;
    };
}

/**
 * Network policies of a namespace by name: everything is denied both ways, then what the platform needs
 * is allowed. A cluster whose network does not enforce policies accepts them and does nothing.
 */
export function networkPolicies(
    role: NamespaceRole,
    traffic: NetworkFlows,
): Record<string, PolicySpec> {
    return { ...base(traffic), ...allowances(role, traffic) };
}

/** Denies everything but names. */
function base(traffic: NetworkFlows): Record<string, PolicySpec> {
    return {
        "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
        "allow-dns": allowEgressTo(traffic.dns, { protocols: [udp, tcp] }),
    };
}

/** Network policies of the namespace of the stack's own cert-manager. */
export function certManagerNamespacePolicies(
    traffic: NetworkFlows,
    certManager: CertManagerFlows,
): Record<string, PolicySpec> {
    return { ...base(traffic), ...certManagerPolicies(traffic.gateway, certManager) };
}

function allowances(role: NamespaceRole, traffic: NetworkFlows): Record<string, PolicySpec> {
    switch (role) {
        case "blue":
        case "green":
            return colourAllowances(traffic);
        case "data":
            return {
                "allow-clients": allowIngress(
                    COLOURS.map((colour) => namespacePeer(NAMESPACES[colour])),
                    [tcp(PORTS.redis)],
                ),
                "allow-peers-in": allowIngress([SAME_NAMESPACE], REDIS_PEER_PORTS),
                "allow-peers-out": allowEgress([SAME_NAMESPACE], REDIS_PEER_PORTS),
                ...(traffic.redisZones && {
                    "allow-zones": apiServerEgress(traffic.monitoring.apiServerCidrs, {
                        [LABELS.name]: FORMATION_NAME,
                    }),
                }),
                ...(traffic.monitoring.exporter && exporterPolicies(scrapers(traffic))),
            };
        case "edge":
            return edgePolicies(traffic);
        case "monitoring":
            return monitoringPolicies(monitoringTraffic(traffic));
    }
}

function colourAllowances(traffic: NetworkFlows): Record<string, PolicySpec> {
    const { externalRedis, upstream, tracing } = traffic;
    return {
        "allow-gateway": allowIngress(gatewayPeers(traffic.gateway), [tcp(PORTS.service)]),
        "allow-monitoring": allowIngress([scrapers(traffic)], [tcp(PORTS.service)]),
        "allow-redis":
            externalRedis.length > 0
                ? allowEgressTo(externalRedis)
                : allowEgress([namespacePeer(NAMESPACES.data)], [tcp(PORTS.redis)]),
        ...(upstream.length > 0 && { "allow-upstream": allowEgressTo(upstream) }),
        ...(tracing.length > 0 && { "allow-traces": allowEgressTo(tracing) }),
    };
}

const REDIS_PEER_PORTS = [tcp(PORTS.redis), tcp(PORTS.redisBus)];

function monitoringTraffic(traffic: NetworkFlows): MonitoringFlows {
    const { gatewayPort, ...rest } = traffic.monitoring;
    return {
        ...rest,
        ...(gatewayPort !== undefined && {
            gateway: { peers: gatewayPeers(traffic.gateway), port: gatewayPort },
        }),
    };
}

/** Whence pods are scraped. */
function scrapers({ monitoring }: NetworkFlows): Peer {
    return namespacePeer(monitoring.existingNamespace ?? NAMESPACES.monitoring);
}
