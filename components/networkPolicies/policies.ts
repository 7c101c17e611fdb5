import type * as k8s from "@pulumi/kubernetes";
import { BlockList, isIPv6 } from "node:net";

export type PolicySpec = k8s.types.input.networking.v1.NetworkPolicySpec;
export type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;
export type Port = k8s.types.input.networking.v1.NetworkPolicyPort;
type Selector = Readonly<Record<string, string>>;

export const SAME_NAMESPACE: Peer = { podSelector: {} };

/** Where connections go: to pods by their namespace and labels, or to addresses; and the port on which these listen. */
export type Destination = { readonly port: number } & (
    { readonly namespace: string; readonly podLabels: Selector } | { readonly cidr: string }
);

const EVERYWHERE = ["0.0.0.0/0", "::/0"];

/** Link-local addresses, where clouds hand out credentials to every pod, and the one of EC2 over IPv6. */
const CREDENTIALS = ["169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128"];

/** Anywhere but where clouds hand out credentials. Some networks match no pod by its address. */
export const EXTERNAL_PEERS: Peer[] = EVERYWHERE.map(withoutCredentialRanges);

/** Anywhere outside of the cluster, on a port. */
export function externalDestinations(port: number): Destination[] {
    return EVERYWHERE.map((cidr) => ({ cidr, port }));
}

/** Every namespace carries its name as a label, set by the API server. */
export function namespacePeer(name: string): Peer {
    return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

export function cidrPeer(cidr: string): Peer {
    return { ipBlock: { cidr } };
}

/** Into pods of the namespace. Default: into all of them. */
export function allowIngress(from: Peer[], ports: Port[], into: Selector = {}): PolicySpec {
    return {
        podSelector: selector(into),
        policyTypes: ["Ingress"],
        ingress: [{ from, ports }],
    };
}

/** Out of pods of the namespace. Default: out of all of them. */
export function allowEgress(to: Peer[], ports: Port[], outOf: Selector = {}): PolicySpec {
    return { podSelector: selector(outOf), policyTypes: ["Egress"], egress: [{ to, ports }] };
}

/** Out of pods of the namespace, to each destination on its own port. Default: TCP, out of all pods. */
export function allowEgressTo(
    destinations: readonly Destination[],
    { outOf = {}, protocols = [tcp] }: { outOf?: Selector; protocols?: (typeof tcp)[] } = {},
): PolicySpec {
    const rules = [...Map.groupBy(destinations, ({ port }) => port)].map(([port, ones]) => ({
        to: ones.map(destinationPeer),
        ports: protocols.map((on) => on(port)),
    }));
    return { podSelector: selector(outOf), policyTypes: ["Egress"], egress: rules };
}

function destinationPeer(destination: Destination): Peer {
    if ("cidr" in destination) return withoutCredentialRanges(destination.cidr);
    const { namespace, podLabels } = destination;
    const podSelector = selector(podLabels);
    return Object.keys(podLabels).length > 0
        ? { ...namespacePeer(namespace), podSelector }
        : namespacePeer(namespace);
}

/** A range without the addresses of credentials, unless it is one of these itself. */
function withoutCredentialRanges(cidr: string): Peer {
    const except = CREDENTIALS.filter((part) => isWithin(part, cidr));
    return except.length > 0 ? { ipBlock: { cidr, except } } : cidrPeer(cidr);
}

/** Whether a range of addresses is a part of a larger one. */
function isWithin(part: string, whole: string): boolean {
    const [address = "", length] = part.split("/");
    const [start = "", shorter] = whole.split("/");
    if (isIPv6(address) !== isIPv6(start) || Number(length) <= Number(shorter)) return false;
    const family = isIPv6(start) ? "ipv6" : "ipv4";
    const range = new BlockList();
    range.addSubnet(start, Number(shorter), family);
    return range.check(address, family);
}

export function tcp(port: number): Port {
    return { protocol: "TCP", port };
}

/** Ports of API servers: their Service's, and what is behind it. */
export const API_SERVER_PORTS = [tcp(443), tcp(6443)];

export function udp(port: number): Port {
    return { protocol: "UDP", port };
}

function selector(matchLabels: Selector) {
    return Object.keys(matchLabels).length > 0 ? { matchLabels: { ...matchLabels } } : {};
}
