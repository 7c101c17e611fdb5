import { COLOURS, NAMESPACES, PORTS } from "@property-search/contract";
import type { GatewayProxies } from "../edge/controllers.ts";
import {
    egress,
    ingress,
    inNamespace,
    inRange,
    SAME_NAMESPACE,
    tcp,
    type Peer,
    type Spec,
} from "./policies.ts";

/** Port on which cert-manager's solver answers a certificate challenge. */
export const SOLVER_PORT = 8089;
export const SOLVER = { "acme.cert-manager.io/http01-solver": "true" };

/** Connections of the gateway. */
export interface EdgeTraffic {
    readonly gateway: GatewayProxies;
    /** Whether certificate challenges are solved in the edge namespace. */
    readonly acmeSolver: boolean;
    readonly monitoring: {
        /** Port of the gateway's metrics; undefined: it is not scraped. */
        readonly gatewayPort?: number | undefined;
    };
}

/** Of the namespace of the Gateway. */
export function edgePolicies(traffic: EdgeTraffic): Record<string, Spec> {
    const { gateway, acmeSolver, monitoring } = traffic;
    return {
        ...(acmeSolver && {
            "allow-acme-solver": ingress(gatewayPeers(gateway), [tcp(SOLVER_PORT)], SOLVER),
        }),
        ...(gateway.namespace === NAMESPACES.edge &&
            proxyPolicies(gateway, monitoring.gatewayPort)),
    };
}

/** Of proxies in the Gateway's namespace: clients come from anywhere. */
function proxyPolicies(gateway: GatewayProxies, metricsPort?: number): Record<string, Spec> {
    const { podLabels, podPorts, provisions } = gateway;
    const controlPlane = provisions?.controlPlane;
    const ports = [...podPorts, ...(provisions?.servicePorts ?? [])].map(tcp);
    return {
        "allow-clients": {
            podSelector: { matchLabels: { ...podLabels } },
            policyTypes: ["Ingress"],
            ingress: [{ ports }],
        },
        "allow-backends": egress(
            COLOURS.map((colour) => inNamespace(NAMESPACES[colour])),
            [tcp(PORTS.service)],
            podLabels,
        ),
        "allow-solvers": egress([SAME_NAMESPACE], [tcp(SOLVER_PORT)], podLabels),
        ...(controlPlane && {
            "allow-control-plane": egress(
                [inNamespace(controlPlane.namespace)],
                [tcp(controlPlane.port)],
                podLabels,
            ),
        }),
        ...(metricsPort !== undefined && {
            "allow-scrapes": ingress(
                [inNamespace(NAMESPACES.monitoring)],
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
    return [{ ...inNamespace(namespace), ...pods }, ...cidrs.map(inRange)];
}
