import { LABELS, MONITORING_NAMES, PORTS, type NamespaceRole } from "@property-search/contract";
import type { NetworkFlows } from "../networkPolicies.ts";
import { FORMATION_NAME } from "../redis/pods.ts";
import { SOLVER, SOLVER_PORT } from "./edge.ts";
import { API_SERVER_PORTS } from "./policies.ts";

/** What Cilium knows by a name of its own, and what no NetworkPolicy can name there. */
type Entity = "ingress" | "kube-apiserver" | "host" | "remote-node";

interface EntityPorts {
    readonly ports: readonly { readonly port: string; readonly protocol: "TCP" }[];
}

/** Spec of a CiliumNetworkPolicy, as far as the platform uses it. */
export interface EntitySpec {
    readonly endpointSelector: {
        readonly matchLabels?: Readonly<Record<string, string>>;
        readonly matchExpressions?: readonly {
            readonly key: string;
            readonly operator: "In";
            readonly values: readonly string[];
        }[];
    };
    readonly ingress?: readonly {
        readonly fromEntities: readonly Entity[];
        readonly toPorts: readonly EntityPorts[];
    }[];
    readonly egress?: readonly {
        readonly toEntities: readonly Entity[];
        readonly toPorts: readonly EntityPorts[];
    }[];
}

type EntityPolicies = Readonly<Record<string, EntitySpec>>;

/**
 * Policies beside the network policies of a namespace where Cilium serves the Gateway. Its proxies are no pods, and
 * its API servers, where they run on the cluster's nodes, match no address range.
 *
 * @see https://docs.cilium.io/en/stable/security/policy/language/#entities-based
 */
export function entityPolicies(role: NamespaceRole, traffic: NetworkFlows): EntityPolicies {
    const { gateway, acmeSolver, redisZones, monitoring } = traffic;
    if (gateway.entity === undefined) return {};
    switch (role) {
        case "blue":
        case "green":
            return { "allow-cilium-gateway": from([gateway.entity], [PORTS.service], {}) };
        case "edge":
            return acmeSolver
                ? {
                      "allow-cilium-solvers": from([gateway.entity], [SOLVER_PORT], {
                          matchLabels: SOLVER,
                      }),
                  }
                : {};
        case "data":
            return redisZones ? { "allow-cilium-api-server": toApiServer([FORMATION_NAME]) } : {};
        case "monitoring": {
            const { prometheus, kubeStateMetrics } = MONITORING_NAMES;
            const { existingNamespace: existingIn, gatewayPort } = monitoring;
            if (existingIn !== undefined) {
                return { "allow-cilium-api-server": toApiServer([kubeStateMetrics]) };
            }
            return {
                "allow-cilium-api-server": toApiServer([prometheus, kubeStateMetrics]),
                // The figures of its proxies are at the nodes' own addresses.
                ...(gatewayPort !== undefined && {
                    "allow-cilium-scrapes": to(
                        ["host", "remote-node"],
                        [gatewayPort],
                        named([prometheus]),
                    ),
                }),
            };
        }
    }
}

/** Of the namespace of the stack's own cert-manager. @param challenge how it shows whose the host name is */
export function certManagerEntityPolicies(
    { gateway }: NetworkFlows,
    challenge: "http01" | "dns01" | undefined,
): EntityPolicies {
    if (gateway.entity === undefined) return {};
    return {
        "allow-cilium-api-server": to(["kube-apiserver"], apiServerPorts(), {}),
        ...(challenge === "http01" && {
            "allow-cilium-gateway": to([gateway.entity], [gateway.podPorts[0]], {
                matchLabels: { [LABELS.component]: "controller" },
            }),
        }),
    };
}

function toApiServer(names: readonly string[]): EntitySpec {
    return to(["kube-apiserver"], apiServerPorts(), named(names));
}

function apiServerPorts(): number[] {
    return API_SERVER_PORTS.map(({ port }) => Number(port));
}

function named(values: readonly string[]): EntitySpec["endpointSelector"] {
    return { matchExpressions: [{ key: LABELS.name, operator: "In", values }] };
}

/** @param endpointSelector pods of the namespace; {}: all of them */
function from(
    fromEntities: readonly Entity[],
    ports: readonly number[],
    endpointSelector: EntitySpec["endpointSelector"],
): EntitySpec {
    return { endpointSelector, ingress: [{ fromEntities, toPorts: [tcpPorts(ports)] }] };
}

/** @param endpointSelector pods of the namespace; {}: all of them */
function to(
    toEntities: readonly Entity[],
    ports: readonly number[],
    endpointSelector: EntitySpec["endpointSelector"],
): EntitySpec {
    return { endpointSelector, egress: [{ toEntities, toPorts: [tcpPorts(ports)] }] };
}

function tcpPorts(ports: readonly number[]): EntityPorts {
    return { ports: ports.map((port) => ({ port: `${port}`, protocol: "TCP" })) };
}
