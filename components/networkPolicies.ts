import { COLOURS, NAMESPACES, PORTS, type NamespaceRole } from "@property-search/contract";
import {
    exporterPolicies,
    monitoringPolicies,
    type MonitoringTraffic,
} from "./networkPolicies/monitoring.ts";
import {
    egress,
    egressTo,
    ingress,
    inNamespace,
    inRange,
    SAME_NAMESPACE,
    tcp,
    udp,
    type Destination,
    type Peer,
    type Spec,
} from "./networkPolicies/policies.ts";

/** Port on which cert-manager's solver answers a certificate challenge. */
const ACME_SOLVER_PORT = 8089;

export interface Traffic {
    /** Whence the gateway's connections come. */
    readonly gateway: { readonly namespace: string; readonly cidrs: readonly string[] };
    /** Where pods resolve names, over UDP and TCP. */
    readonly dns: readonly Destination[];
    /** A Redis of somebody else's; none: Redis is in the data namespace. */
    readonly externalRedis: readonly Destination[];
    /** The upstream API and its fallbacks; none: the model is in the pod. */
    readonly upstream: readonly Destination[];
    /** The OpenTelemetry collector; none: nothing is traced. */
    readonly tracing: readonly Destination[];
    /** Whether certificate challenges are solved in the edge namespace. */
    readonly acme: boolean;
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
    return {
        "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
        "allow-dns": egressTo(traffic.dns, { protocols: [udp, tcp] }),
        ...allowances(role, traffic),
    };
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
                ...(traffic.monitoring.exporter && exporterPolicies(scrapers(traffic))),
            };
        case "edge":
            return traffic.acme
                ? {
                      "allow-acme-solver": ingress(gatewayPeers(traffic), [tcp(ACME_SOLVER_PORT)]),
                  }
                : {};
        case "monitoring":
            return monitoringPolicies(monitoringTraffic(traffic));
    }
}

function colourAllowances(traffic: Traffic): Record<string, Spec> {
    const { externalRedis, upstream, tracing } = traffic;
    return {
        "allow-gateway": ingress(gatewayPeers(traffic), [tcp(PORTS.service)]),
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
            gateway: { peers: gatewayPeers(traffic), port: gatewayPort },
        }),
    };
}

/** Whence pods are scraped. */
function scrapers({ monitoring }: Traffic): Peer {
    return inNamespace(monitoring.existingIn ?? NAMESPACES.monitoring);
}

function gatewayPeers({ gateway }: Traffic): Peer[] {
    return [inNamespace(gateway.namespace), ...gateway.cidrs.map(inRange)];
}
