import type { Manifest } from "../../render/manifests.ts";
import { at } from "./program.ts";

type Labels = Readonly<Record<string, string>>;
type Direction = "ingress" | "egress";

/** One end of a connection, as network policies see it: a pod, or what Cilium calls an entity. */
export type Endpoint =
    { readonly namespace: string; readonly labels: Labels } | { readonly entity: string };

interface Selector {
    readonly matchLabels?: Labels;
}

interface Peer {
    readonly namespaceSelector?: Selector;
    readonly podSelector?: Selector;
    readonly ipBlock?: object;
}

interface Rule {
    readonly from?: readonly Peer[];
    readonly to?: readonly Peer[];
    readonly ports?: readonly { readonly port: number }[];
}

interface EntityRule {
    readonly fromEntities?: readonly string[];
    readonly toEntities?: readonly string[];
    readonly toPorts: readonly { readonly ports: readonly { readonly port: string }[] }[];
}

/**
 * Whether the policies of manifests let a connection through on a port of its destination, at both ends. A namespace
 * without policies allows everything. Address ranges match no pod, as in Cilium.
 */
export function isLetThrough(
    manifests: readonly Manifest[],
    from: Endpoint,
    to: Endpoint,
    port: number,
): boolean {
    return (
        allows(manifests, "egress", from, to, port) && allows(manifests, "ingress", to, from, port)
    );
}

/** Whether the policies of one end allow its connections with the other. */
function allows(
    manifests: readonly Manifest[],
    direction: Direction,
    own: Endpoint,
    peer: Endpoint,
    port: number,
): boolean {
    if ("entity" in own) return true;
    const policies = manifests.filter(
        ({ kind, metadata, spec }) =>
            metadata.namespace === own.namespace &&
            /^(Cilium)?NetworkPolicy$/.test(kind) &&
            selects(at(spec, kind === "NetworkPolicy" ? "podSelector" : "endpointSelector"), own),
    );
    const isolated = policies.some(({ kind, spec }) =>
        kind === "NetworkPolicy"
            ? (at(spec, "policyTypes") as string[]).some((type) => type.toLowerCase() === direction)
            : at(spec, direction) !== undefined,
    );
    return (
        !isolated ||
        policies.some(({ kind, spec }) => {
            const rules = (at(spec, direction) ?? []) as unknown[];
            return rules.some((rule) =>
                kind === "NetworkPolicy"
                    ? matches(rule as Rule, direction, own.namespace, peer, port)
                    : matchesEntity(rule as EntityRule, direction, peer, port),
            );
        })
    );
}

function matches(
    rule: Rule,
    direction: Direction,
    namespace: string,
    peer: Endpoint,
    port: number,
): boolean {
    if (rule.ports && !rule.ports.some((one) => one.port === port)) return false;
    const peers = direction === "ingress" ? rule.from : rule.to;
    // Without peers: any address.
    if (!peers) return true;
    if ("entity" in peer) return false;
    return peers.some(({ namespaceSelector, podSelector, ipBlock }) => {
        if (ipBlock) return false;
        const isThere = namespaceSelector
            ? selects(namespaceSelector, {
                  namespace: "",
                  labels: { "kubernetes.io/metadata.name": peer.namespace },
              })
            : peer.namespace === namespace;
        return isThere && selects(podSelector ?? {}, peer);
    });
}

function matchesEntity(
    { fromEntities = [], toEntities = [], toPorts }: EntityRule,
    direction: Direction,
    peer: Endpoint,
    port: number,
): boolean {
    const entities = direction === "ingress" ? fromEntities : toEntities;
    return (
        "entity" in peer &&
        entities.includes(peer.entity) &&
        toPorts.some(({ ports }) => ports.some((one) => one.port === String(port)))
    );
}

function selects(selector: unknown, { labels }: Extract<Endpoint, { labels: Labels }>): boolean {
    const { matchLabels = {}, matchExpressions = [] } = selector as Selector & {
        readonly matchExpressions?: readonly { readonly key: string; readonly values: string[] }[];
    };
    return (
        Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
        matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ""))
    );
}
