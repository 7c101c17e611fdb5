import { COLOURS, NAMESPACES, PORTS } from "@property-search/contract";
import type { GatewayProxies } from "../edge/controllers.ts";
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

/** Port on which cert-manager's solver answers a certificate challenge. */
export const SOLVER_PORT = 8089;
export const SOLVER = { "acme.cert-manager.io/http01-solver": "true" };

/** Connections of the gateway. */
export interface EdgeFlows {
    readonly gateway: GatewayProxies;
    /** Whether certificate challenges are solved in the edge namespace. */
    readonly acmeSolver: boolean;
    readonly monitoring: {
        /** Port of the gateway's metrics; undefined: it is not scraped. */
        readonly gatewayPort?: number | undefined;
    };
}

/** Of the namespace of the Gateway. */
export function edgePolicies(traffic: EdgeFlows): Record<string, PolicySpec> {
    const { gateway, acmeSolver, monitoring } = traffic;
    return {
        ...(acmeSolver && {
            "allow-acme-solver": allowIngress(gatewayPeers(gateway), [tcp(SOLVER_PORT)], SOLVER),
        }),
        ...(gateway.namespace === NAMESPACES.edge &&
            proxyPolicies(gateway, monitoring.gatewayPort)),
    };
}

/** Of proxies in the Gateway's namespace: clients come from anywhere. */
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

/** Where connections of the gateway come from. */
export function gatewayPeers({ namespace, podLabels, cidrs }: GatewayProxies): Peer[] {
    const matchLabels = { ...podLabels };
    const pods = Object.keys(matchLabels).length > 0 ? { podSelector: { matchLabels } } : {};
    return [{ ...namespacePeer(namespace), ...pods }, ...cidrs.map(cidrPeer)];
}
