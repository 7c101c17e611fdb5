import { COLOURS, LABELS, NAMESPACES, PORTS, type NamespaceRole } from "@property-search/contract";
import { defaultProxies, type GatewayProxies } from "./edge/controllers.ts";
import { certManagerPolicies, type CertManagerFlows } from "./networkPolicies/certManager.ts";
import { DEFAULT_DNS } from "./networkPolicies/dns.ts";
import { edgePolicies, gatewayPeers } from "./networkPolicies/edge.ts";
import { examplePolicies, exampleScrapes, type ExampleFlows } from "./networkPolicies/example.ts";
import {
    automationPolicies,
    insightsPolicies,
    type InsightsFlows,
} from "./networkPolicies/insights.ts";
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

/** Connections that the network policies allow. */
export interface NetworkFlows {
    /** Proxies that send requests to the service. */
    readonly gateway: GatewayProxies;
    /** DNS servers, over UDP and TCP. */
    readonly dns: readonly Destination[];
    /** An existing Redis. Empty: Redis is in the data namespace. */
    readonly externalRedis: readonly Destination[];
    /** The upstream API and its fallbacks. Empty: the model is in the pod. */
    readonly upstream: readonly Destination[];
    /** The OpenTelemetry collector. Empty: nothing is traced. */
    readonly tracing: readonly Destination[];
    /** Whether a Redis Cluster looks up the zones of its nodes at the API server. */
    readonly redisZones: boolean;
    /** Whether certificate challenges are solved in the edge namespace. */
    readonly acmeSolver: boolean;
    /** Connections of insights. Undefined: the stack has none. */
    readonly insights?: InsightsFlows | undefined;
    /** Connections of the example. Undefined: the stack has none. */
    readonly example?: ExampleFlows | undefined;
    /** Connections of the monitoring stack. */
    readonly monitoring: Omit<MonitoringFlows, "gateway"> & {
        /** Port of the gateway's metrics. Undefined: the gateway is not scraped. */
        readonly gatewayPort?: number | undefined;
    };
}

/** Connections of the components with their default arguments, behind Traefik as its Helm chart installs it. */
export const DEFAULT_FLOWS: NetworkFlows = {
    gateway: defaultProxies("traefik"),
    dns: DEFAULT_DNS,
    externalRedis: [],
    upstream: [],
    tracing: [],
    redisZones: false,
    acmeSolver: false,
    monitoring: {
        readers: [],
        apiServerCidrs: [],
        exporter: true,
        grafana: true,
        remoteWrite: [],
        receivers: [],
    },
};

/**
 * Network policies of a namespace, by name: deny everything in both directions, then allow the platform's
 * connections. A cluster whose network plugin does not enforce policies ignores them.
 */
export function networkPolicies(
    role: NamespaceRole,
    flows: NetworkFlows,
): Record<string, PolicySpec> {
    return { ...basePolicies(flows), ...allowPolicies(role, flows) };
}

/** Denies everything but DNS. */
function basePolicies(flows: NetworkFlows): Record<string, PolicySpec> {
    return {
        "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
        "allow-dns": allowEgressTo(flows.dns, { protocols: [udp, tcp] }),
    };
}

/** Network policies of the namespace of the stack's own cert-manager. */
export function certManagerNamespacePolicies(
    flows: NetworkFlows,
    certManager: CertManagerFlows,
): Record<string, PolicySpec> {
    return { ...basePolicies(flows), ...certManagerPolicies(flows.gateway, certManager) };
}

/** Network policies of the namespace of the example. */
export function exampleNamespacePolicies(
    flows: NetworkFlows,
    example: ExampleFlows,
): Record<string, PolicySpec> {
    const gateway = { peers: gatewayPeers(flows.gateway), ports: flows.gateway.podPorts };
    return { ...basePolicies(flows), ...examplePolicies(example, gateway, scrapers(flows)) };
}

function allowPolicies(role: NamespaceRole, flows: NetworkFlows): Record<string, PolicySpec> {
    switch (role) {
        case "blue":
        case "green":
            return colourPolicies(flows);
        case "data":
            return {
                "allow-clients": allowIngress(
                    COLOURS.map((colour) => namespacePeer(NAMESPACES[colour])),
                    [tcp(PORTS.redis)],
                ),
                "allow-peers-in": allowIngress([SAME_NAMESPACE], REDIS_PEER_PORTS),
                "allow-peers-out": allowEgress([SAME_NAMESPACE], REDIS_PEER_PORTS),
                ...(flows.redisZones && {
                    "allow-zones": apiServerEgress(flows.monitoring.apiServerCidrs, {
                        [LABELS.name]: FORMATION_NAME,
                    }),
                }),
                ...(flows.monitoring.exporter && exporterPolicies(scrapers(flows))),
            };
        case "edge":
            return edgePolicies(flows);
        case "monitoring":
            return {
                ...monitoringPolicies(monitoringFlows(flows)),
                ...(flows.insights &&
                    insightsPolicies(flows.insights, gatewayPeers(flows.gateway))),
                ...(flows.example?.scraped === true && {
                    "allow-example-scrapes": exampleScrapes(),
                }),
            };
    }
}

function colourPolicies(flows: NetworkFlows): Record<string, PolicySpec> {
    const { externalRedis, upstream, tracing } = flows;
    return {
        "allow-gateway": allowIngress(gatewayPeers(flows.gateway), [tcp(PORTS.service)]),
        "allow-monitoring": allowIngress([scrapers(flows)], [tcp(PORTS.service)]),
        "allow-redis":
            externalRedis.length > 0
                ? allowEgressTo(externalRedis)
                : allowEgress([namespacePeer(NAMESPACES.data)], [tcp(PORTS.redis)]),
        ...(upstream.length > 0 && { "allow-upstream": allowEgressTo(upstream) }),
        ...(tracing.length > 0 && { "allow-traces": allowEgressTo(tracing) }),
        ...(flows.insights && automationPolicies()),
    };
}

const REDIS_PEER_PORTS = [tcp(PORTS.redis), tcp(PORTS.redisBus)];

function monitoringFlows(flows: NetworkFlows): MonitoringFlows {
    const { gatewayPort, ...rest } = flows.monitoring;
    return {
        ...rest,
        ...(gatewayPort !== undefined && {
            gateway: { peers: gatewayPeers(flows.gateway), port: gatewayPort },
        }),
    };
}

/** Pods that scrape. */
function scrapers({ monitoring }: NetworkFlows): Peer {
    return namespacePeer(monitoring.existingNamespace ?? NAMESPACES.monitoring);
}
