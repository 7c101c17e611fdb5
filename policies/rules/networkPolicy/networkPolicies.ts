import { json, list, type Json, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Pod } from "../../kubernetes/pods.ts";
import { matches, type Stack } from "../../kubernetes/stack.ts";

const DIRECTIONS = ["Ingress", "Egress"] as const;
type Direction = (typeof DIRECTIONS)[number];
export type Port = string | number;
const PROTOCOLS = ["UDP", "TCP"] as const;

/** @returns the network policies that select a pod. */
export function policiesOf({ object, labels }: Pod, stack: Stack): KubernetesObject[] {
    return stack
        .of("NetworkPolicy")
        .filter(
            ({ namespace, body }) =>
                namespace === object.namespace && matches(json(body.spec).podSelector, labels),
        );
}

/** @returns whether any of these policies allows traffic. */
export function allowSomething(policies: readonly KubernetesObject[]): boolean {
    return policies.some((policy) =>
        DIRECTIONS.some((direction) => (allowedBy(policy, direction) ?? []).length > 0),
    );
}

/** @returns the directions without a default-deny policy for all pods of the namespace. */
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
 * @returns the protocols over which pods cannot reach DNS although they have egress to other pods. DNS uses UDP, and
 *   TCP for long responses (RFC 7766).
 */
export function unresolved(policies: readonly KubernetesObject[], ports: readonly Port[]) {
    const rules = policies.flatMap((policy) => allowedBy(policy, "Egress") ?? []);
    if (!rules.some(leadsToPods)) return [];
    return PROTOCOLS.filter((protocol) => !rules.some((rule) => lets(rule, protocol, ports)));
}

/** @returns the rules of a policy for a direction; undefined if the policy does not apply to it. */
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

/** A default-deny policy for a namespace. */
export const DENIED = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "default-deny" },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
} as const;

/** An egress rule for DNS. */
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
