import { asJson, asList, type Json, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Pod } from "../../kubernetes/pods.ts";
import { matchesSelector, type Stack } from "../../kubernetes/stack.ts";

const DIRECTIONS = ["Ingress", "Egress"] as const;
type Direction = (typeof DIRECTIONS)[number];
export type Port = string | number;
const PROTOCOLS = ["UDP", "TCP"] as const;

/** @returns the network policies that select a pod. */
export function policiesFor({ object, labels }: Pod, stack: Stack): KubernetesObject[] {
    return stack
        .ofKind("NetworkPolicy")
        .filter(
            ({ namespace, body }) =>
                namespace === object.namespace &&
                matchesSelector(asJson(body.spec).podSelector, labels),
        );
}

/** @returns whether any of these policies allows traffic. */
export function allowAnyTraffic(policies: readonly KubernetesObject[]): boolean {
    return policies.some((policy) =>
        DIRECTIONS.some((direction) => (listAllowed(policy, direction) ?? []).length > 0),
    );
}

/** @returns the directions without a default-deny policy for all pods of the namespace. */
export function findOpenDirections(policies: readonly KubernetesObject[]): Direction[] {
    return DIRECTIONS.filter(
        (direction) =>
            !policies.some(
                (policy) => selectsAllPods(policy) && listAllowed(policy, direction)?.length === 0,
            ),
    );
}

function selectsAllPods({ body }: KubernetesObject): boolean {
    const { matchLabels, matchExpressions } = asJson(asJson(body.spec).podSelector);
    return Object.keys(asJson(matchLabels)).length + asList(matchExpressions).length === 0;
}

/**
 * @returns the protocols over which pods cannot reach DNS although they have egress to other pods. DNS uses UDP, and
 *   TCP for long responses (RFC 7766).
 */
export function findBlockedDnsProtocols(
    policies: readonly KubernetesObject[],
    ports: readonly Port[],
) {
    const rules = policies.flatMap((policy) => listAllowed(policy, "Egress") ?? []);
    if (!rules.some(isToPods)) return [];
    return PROTOCOLS.filter((protocol) => !rules.some((rule) => allowsPort(rule, protocol, ports)));
}

/** @returns the rules of a policy for a direction; undefined if the policy does not apply to it. */
function listAllowed({ body }: KubernetesObject, direction: Direction) {
    const { policyTypes, ingress, egress } = asJson(body.spec);
    const types: unknown[] = Array.isArray(policyTypes)
        ? policyTypes
        : ["Ingress", ...(egress === undefined ? [] : ["Egress"])];
    return types.includes(direction)
        ? asList(direction === "Ingress" ? ingress : egress)
        : undefined;
}

function isToPods({ to }: Json): boolean {
    const peers = asList(to);
    return peers.length === 0 || peers.some(({ ipBlock }) => ipBlock === undefined);
}

function allowsPort({ ports }: Json, protocol: string, among: readonly Port[]): boolean {
    const allowed = asList(ports);
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
export const DEFAULT_DENY = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "default-deny" },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
} as const;

/** An egress rule for DNS. */
export const ALLOW_DNS = {
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
