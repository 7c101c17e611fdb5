import { json, list, type Json, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Pod } from "../../kubernetes/pods.ts";
import { matches, type Stack } from "../../kubernetes/stack.ts";

const DIRECTIONS = ["Ingress", "Egress"] as const;
type Direction = (typeof DIRECTIONS)[number];
export type Port = string | number;
const PROTOCOLS = ["UDP", "TCP"] as const;

/** The policies that a pod is subject to. */
export function policiesOf({ object, labels }: Pod, stack: Stack): KubernetesObject[] {
    return stack
        .of("NetworkPolicy")
        .filter(
            ({ namespace, body }) =>
                namespace === object.namespace && matches(json(body.spec).podSelector, labels),
        );
}

/** Whether pods may do something that these policies are about. */
export function allowSomething(policies: readonly KubernetesObject[]): boolean {
    return policies.some((policy) =>
        DIRECTIONS.some((direction) => (allowedBy(policy, direction) ?? []).length > 0),
    );
}

/** In what directions pods of a namespace may do more than these policies allow, today or tomorrow. */
export function openDirections(policies: readonly KubernetesObject[]): Direction[] {
    return DIRECTIONS.filter(
        (direction) =>
            !policies.some(
                (policy) => selectsAll(policy) && allowedBy(policy, direction)?.length === 0,
            ),
    );
}

export function selectsAll({ body }: KubernetesObject): boolean {
    const { matchLabels, matchExpressions } = json(json(body.spec).podSelector);
    return Object.keys(json(matchLabels)).length + list(matchExpressions).length === 0;
}

/**
 * Over what pods may not ask for names, though they may send to other pods, which are found by name. Names
 * are asked for over UDP, and over TCP where the answer is long (RFC 7766).
 */
export function unresolved(policies: readonly KubernetesObject[], ports: readonly Port[]) {
    const rules = policies.flatMap((policy) => allowedBy(policy, "Egress") ?? []);
    if (!rules.some(leadsToPods)) return [];
    return PROTOCOLS.filter((protocol) => !rules.some((rule) => lets(rule, protocol, ports)));
}

/** What a policy allows in a direction that it is about, and undefined for one that it leaves alone. */
function allowedBy({ body }: KubernetesObject, direction: Direction) {
    const { policyTypes, ingress, egress } = json(body.spec);
    const types: unknown[] = Array.isArray(policyTypes)
        ? policyTypes
        : ["Ingress", ...(egress === undefined ? [] : ["Egress"])];
    return types.includes(direction) ? list(direction === "Ingress" ? ingress : egress) : undefined;
}

function leadsToPods({ to }: Json): boolean {
    const peers = list(to);
    return peers.length === 0 || peers.some(({ ipBlock }) => ipBlock === undefined);
}

function lets({ ports }: Json, protocol: string, among: readonly Port[]): boolean {
    const allowed = list(ports);
    return (
        allowed.length === 0 ||
        allowed.some(({ protocol: of = "TCP", port, endPort = port }) => {
            if (of !== protocol) return false;
            if (port === undefined) return true;
            return among.some((one) =>
                typeof one === "number"
                    ? Number(port) <= one && one <= Number(endPort)
                    : one === port,
            );
        })
    );
}

/** Of a namespace: what no other policy allows is denied. */
export const DENIED = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "default-deny" },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
} as const;

/** Names are resolved. */
export const RESOLVED = {
    egress: [
        {
            to: [
                {
                    namespaceSelector: {
                        matchLabels: { "kubernetes.io/metadata.name": "kube-system" },
                    },
                },
            ],
            ports: PROTOCOLS.map((protocol) => ({ protocol, port: 53 })),
        },
    ],
} as const;
