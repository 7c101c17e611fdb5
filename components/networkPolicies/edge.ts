import { COLOURS, NAMESPACES, PORTS } from "@property-search/contract";
import type { GatewayProxies } from "../edge/controllers.ts";
import { exampleEgress, type ExampleFlows } from "./example.ts";
import { pageEgress, type InsightsFlows } from "./insights.ts";
import {
    allowEgress,
    allowIngress,
    namespacePeer,
    cidrPeer,
    SAME_NAMESPACE,
    tcp,
    type Peer,
    type PolicySpec,
} from "./policies.ts";

/** Port of cert-manager's solver of certificate challenges. */
export const SOLVER_PORT = 8089;
export const SOLVER = { "acme.cert-manager.io/http01-solver": "true" };

/** Connections of the gateway. */
export interface EdgeFlows {
    /** Proxies of the gateway. */
    readonly gateway: GatewayProxies;
    /** Whether certificate challenges are solved in the edge namespace. */
    readonly acmeSolver: boolean;
    /** Connections of insights. Undefined: the stack has none. */
    readonly insights?: InsightsFlows | undefined;
    /** Connections of the example. Undefined: the stack has none. */
    readonly example?: ExampleFlows | undefined;
    /** How the gateway is monitored. */
    readonly monitoring: {
        /** Port of the gateway's metrics. Undefined: the gateway is not scraped. */
        readonly gatewayPort?: number | undefined;
    };
}

/** Policies of the Gateway's namespace. */
export function edgePolicies(flows: EdgeFlows): Record<string, PolicySpec> {
    const { gateway, acmeSolver, insights, example, monitoring } = flows;
    return {
        ...(acmeSolver && {
            "allow-acme-solver": allowIngress(gatewayPeers(gateway), [tcp(SOLVER_PORT)], SOLVER),
        }),
        ...(gateway.namespace === NAMESPACES.edge && {
            ...proxyPolicies(gateway, monitoring.gatewayPort),
            ...(insights?.exposed === true && { "allow-insights": pageEgress(gateway.podLabels) }),
            ...(example && { "allow-example": exampleEgress(gateway.podLabels) }),
        }),
    };
}

/** Policies of proxies in the Gateway's namespace: clients may have any address. */
function proxyPolicies(gateway: GatewayProxies, metricsPort?: number): Record<string, PolicySpec> {
    const { podLabels, podPorts, provisions } = gateway;
    const controlPlane = provisions?.controlPlane;
    const ports = [...podPorts, ...(provisions?.servicePorts ?? [])].map(tcp);
    return {
        "allow-clients": {
            podSelector: { matchLabels: { ...podLabels } },
            policyTypes: ["Ingress"],
            ingress: [{ ports }],
        },
        "allow-backends": allowEgress(
            COLOURS.map((colour) => namespacePeer(NAMESPACES[colour])),
            [tcp(PORTS.service)],
            podLabels,
        ),
        "allow-solvers": allowEgress([SAME_NAMESPACE], [tcp(SOLVER_PORT)], podLabels),
        ...(controlPlane && {
            "allow-control-plane": allowEgress(
                [namespacePeer(controlPlane.namespace)],
                [tcp(controlPlane.port)],
                podLabels,
            ),
        }),
        ...(metricsPort !== undefined && {
            "allow-scrapes": allowIngress(
                [namespacePeer(NAMESPACES.monitoring)],
                [tcp(metricsPort)],
                podLabels,
            ),
        }),
    };
}

/** Peers that connections of the gateway come from. */
export function gatewayPeers({ namespace, podLabels, cidrs }: GatewayProxies): Peer[] {
    const matchLabels = { ...podLabels };
    const pods = Object.keys(matchLabels).length > 0 ? { podSelector: { matchLabels } } : {};
    return [{ ...namespacePeer(namespace), ...pods }, ...cidrs.map(cidrPeer)];
}
