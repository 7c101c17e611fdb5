import {
    INSIGHTS_NAMES,
    LABELS,
    MONITORING_NAMES,
    PORTS,
    type NamespaceRole,
} from "@property-search/contract";
import type { NetworkFlows } from "../networkPolicies.ts";
import { FORMATION_NAME } from "../redis/pods.ts";
import { SOLVER, SOLVER_PORT } from "./edge.ts";
import { API_SERVER_PORTS } from "./policies.ts";

/** Entities of Cilium, which no NetworkPolicy can select. */
type Entity = "ingress" | "kube-apiserver" | "host" | "remote-node";

interface EntityPorts {
    readonly ports: readonly { readonly port: string; readonly protocol: "TCP" }[];
}

/** Spec of a CiliumNetworkPolicy: the fields that the platform uses. */
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
 * Policies of a namespace in addition to its network policies, where Cilium serves the Gateway. Cilium's proxies are
 * not pods, and an API server on the cluster's nodes matches no address range.
 *
 * @see https://docs.cilium.io/en/stable/security/policy/language/#entities-based
 */
export function entityPolicies(role: NamespaceRole, flows: NetworkFlows): EntityPolicies {
    const { gateway, acmeSolver, redisZones, insights, monitoring } = flows;
    if (gateway.entity === undefined) return {};
    switch (role) {
        case "blue":
        case "green":
            return { "allow-cilium-gateway": allowFrom([gateway.entity], [PORTS.service], {}) };
        case "edge":
            return acmeSolver
                ? {
                      "allow-cilium-solvers": allowFrom([gateway.entity], [SOLVER_PORT], {
                          matchLabels: SOLVER,
                      }),
                  }
                : {};
        case "data":
            return redisZones ? { "allow-cilium-api-server": toApiServer([FORMATION_NAME]) } : {};
        case "monitoring": {
            const { prometheus, kubeStateMetrics } = MONITORING_NAMES;
            const { existingNamespace: existingIn, gatewayPort } = monitoring;
            const page = insights?.exposed === true && {
                "allow-cilium-gateway": allowFrom(
                    [gateway.entity],
                    [PORTS.insights],
                    selectNames([INSIGHTS_NAMES.page]),
                ),
            };
            if (existingIn !== undefined) {
                return { ...page, "allow-cilium-api-server": toApiServer([kubeStateMetrics]) };
            }
            return {
                ...page,
                "allow-cilium-api-server": toApiServer([prometheus, kubeStateMetrics]),
                // The metrics of the proxies are at the addresses of the nodes.
                ...(gatewayPort !== undefined && {
                    "allow-cilium-scrapes": allowTo(
                        ["host", "remote-node"],
                        [gatewayPort],
                        selectNames([prometheus]),
                    ),
                }),
            };
        }
    }
}

/** Policies of the namespace of the example: the gateway in both directions. */
export function exampleEntityPolicies({ gateway }: NetworkFlows): EntityPolicies {
    if (gateway.entity === undefined) return {};
    return {
        "allow-cilium-gateway": allowFrom([gateway.entity], [PORTS.example], {}),
        "allow-cilium-embeddings": allowTo([gateway.entity], [...gateway.podPorts], {}),
    };
}

/** Policies of the namespace of the stack's own cert-manager. @param challenge that validates the host name */
export function certManagerEntityPolicies(
    { gateway }: NetworkFlows,
    challenge: "http01" | "dns01" | undefined,
): EntityPolicies {
    if (gateway.entity === undefined) return {};
    return {
        "allow-cilium-api-server": allowTo(["kube-apiserver"], apiServerPorts(), {}),
        ...(challenge === "http01" && {
            "allow-cilium-gateway": allowTo([gateway.entity], [gateway.podPorts[0]], {
                matchLabels: { [LABELS.component]: "controller" },
            }),
        }),
    };
}

function toApiServer(names: readonly string[]): EntitySpec {
    return allowTo(["kube-apiserver"], apiServerPorts(), selectNames(names));
}

function apiServerPorts(): number[] {
    return API_SERVER_PORTS.map(({ port }) => Number(port));
}

function selectNames(values: readonly string[]): EntitySpec["endpointSelector"] {
    return { matchExpressions: [{ key: LABELS.name, operator: "In", values }] };
}

/** @param endpointSelector pods of the namespace; {}: all pods */
function allowFrom(
    fromEntities: readonly Entity[],
    ports: readonly number[],
    endpointSelector: EntitySpec["endpointSelector"],
): EntitySpec {
    return { endpointSelector, ingress: [{ fromEntities, toPorts: [tcpPorts(ports)] }] };
}

/** @param endpointSelector pods of the namespace; {}: all pods */
function allowTo(
    toEntities: readonly Entity[],
    ports: readonly number[],
    endpointSelector: EntitySpec["endpointSelector"],
): EntitySpec {
    return { endpointSelector, egress: [{ toEntities, toPorts: [tcpPorts(ports)] }] };
}

function tcpPorts(ports: readonly number[]): EntityPorts {
    return { ports: ports.map((port) => ({ port: `${port}`, protocol: "TCP" })) };
}
