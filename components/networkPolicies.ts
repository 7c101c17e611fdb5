import { COLOURS, LABELS, NAMESPACES, PORTS, type NamespaceRole } from "@property-search/contract";
import type { GatewayProxies } from "./edge/controllers.ts";
import { certManagerPolicies, type CertManagerTraffic } from "./networkPolicies/certManager.ts";
import { edgePolicies, gatewayPeers } from "./networkPolicies/edge.ts";
import {
    apiServerEgress,
    exporterPolicies,
    monitoringPolicies,
    type MonitoringTraffic,
} from "./networkPolicies/monitoring.ts";
import {
    egress,
    egressTo,
    ingress,
    inNamespace,
    SAME_NAMESPACE,
    tcp,
    udp,
    type Destination,
    type Peer,
    type Spec,
} from "./networkPolicies/policies.ts";
import { FORMATION_NAME } from "./redis/pods.ts";

export interface Traffic {
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
    readonly monitoring: Omit<MonitoringTraffic, "gateway"> & {
        /** Port of the gateway's figures; undefined: it is not scraped. */
        readonly gatewayPort?: number | undefined;
    };
}

/**
 * Network policies of a namespace by name: everything is denied both ways, then what the platform needs
 * is allowed. A cluster whose network does not enforce policies accepts them and does nothing.
 */
export function networkPolicies(role: NamespaceRole, traffic: Traffic): Record<string, Spec> {
    return { ...base(traffic), ...allowances(role, traffic) };
}

/** Denies everything but names. */
function base(traffic: Traffic): Record<string, Spec> {
    return {
        "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
        "allow-dns": egressTo(traffic.dns, { protocols: [udp, tcp] }),
    };
}

/** Network policies of the namespace of the stack's own cert-manager. */
export function certManagerNamespacePolicies(
    traffic: Traffic,
    certManager: CertManagerTraffic,
): Record<string, Spec> {
    return { ...base(traffic), ...certManagerPolicies(traffic.gateway, certManager) };
}

function allowances(role: NamespaceRole, traffic: Traffic): Record<string, Spec> {
    switch (role) {
        case "blue":
        case "green":
            return colourAllowances(traffic);
        case "data":
            return {
                "allow-clients": ingress(
                    COLOURS.map((colour) => inNamespace(NAMESPACES[colour])),
                    [tcp(PORTS.redis)],
                ),
                "allow-peers-in": ingress([SAME_NAMESPACE], REDIS_PEER_PORTS),
                "allow-peers-out": egress([SAME_NAMESPACE], REDIS_PEER_PORTS),
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

function colourAllowances(traffic: Traffic): Record<string, Spec> {
    const { externalRedis, upstream, tracing } = traffic;
    return {
        "allow-gateway": ingress(gatewayPeers(traffic.gateway), [tcp(PORTS.service)]),
        "allow-monitoring": ingress([scrapers(traffic)], [tcp(PORTS.service)]),
        "allow-redis":
            externalRedis.length > 0
                ? egressTo(externalRedis)
                : egress([inNamespace(NAMESPACES.data)], [tcp(PORTS.redis)]),
        ...(upstream.length > 0 && { "allow-upstream": egressTo(upstream) }),
        ...(tracing.length > 0 && { "allow-traces": egressTo(tracing) }),
    };
}

const REDIS_PEER_PORTS = [tcp(PORTS.redis), tcp(PORTS.redisBus)];

function monitoringTraffic(traffic: Traffic): MonitoringTraffic {
    const { gatewayPort, ...rest } = traffic.monitoring;
    return {
        ...rest,
        ...(gatewayPort !== undefined && {
            gateway: { peers: gatewayPeers(traffic.gateway), port: gatewayPort },
        }),
    };
}

/** Whence pods are scraped. */
function scrapers({ monitoring }: Traffic): Peer {
    return inNamespace(monitoring.existingIn ?? NAMESPACES.monitoring);
}
