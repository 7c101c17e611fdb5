import type * as k8s from "@pulumi/kubernetes";
import { BlockList, isIPv6 } from "node:net";

export type PolicySpec = k8s.types.input.networking.v1.NetworkPolicySpec;
export type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;
export type Port = k8s.types.input.networking.v1.NetworkPolicyPort;
type Selector = Readonly<Record<string, string>>;

export const SAME_NAMESPACE: Peer = { podSelector: {} };

/** Destination of connections: pods by their namespace and labels, or addresses; with the port that they listen on. */
export type Destination = { readonly port: number } & (
    { readonly namespace: string; readonly podLabels: Selector } | { readonly cidr: string }
);

const ALL_ADDRESSES = ["0.0.0.0/0", "::/0"];

/** Addresses of cloud metadata services, which give credentials to every pod. */
const METADATA_SERVICES = ["169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128"];

/** Any address but those of metadata services. Some networks never match a pod by its address. */
export const EXTERNAL_PEERS: Peer[] = ALL_ADDRESSES.map(withoutMetadataServices);

/** Any address outside of the cluster, on a port. */
export function externalDestinations(port: number): Destination[] {
    return ALL_ADDRESSES.map((cidr) => ({ cidr, port }));
}

/** All pods of a namespace, by the label that the API server sets on each namespace. */
export function namespacePeer(name: string): Peer {
    return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

export function cidrPeer(cidr: string): Peer {
    return { ipBlock: { cidr } };
}

/** Allows connections into pods of the namespace. @param into labels of the pods; {}: all pods */
export function allowIngress(from: Peer[], ports: Port[], into: Selector = {}): PolicySpec {
    return {
        podSelector: selector(into),
        policyTypes: ["Ingress"],
        ingress: [{ from, ports }],
    };
}

/** Allows connections out of pods of the namespace. @param outOf labels of the pods; {}: all pods */
export function allowEgress(to: Peer[], ports: Port[], outOf: Selector = {}): PolicySpec {
    return { podSelector: selector(outOf), policyTypes: ["Egress"], egress: [{ to, ports }] };
}

/** Allows connections to each destination on its own port. The default is TCP, out of all pods. */
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
    if ("cidr" in destination) return withoutMetadataServices(destination.cidr);
    const { namespace, podLabels } = destination;
    const podSelector = selector(podLabels);
    return Object.keys(podLabels).length > 0
        ? { ...namespacePeer(namespace), podSelector }
        : namespacePeer(namespace);
}

/** An address range without those of metadata services, unless it is one of these itself. */
function withoutMetadataServices(cidr: string): Peer {
    const except = METADATA_SERVICES.filter((part) => isWithin(part, cidr));
    return except.length > 0 ? { ipBlock: { cidr, except } } : cidrPeer(cidr);
}

/** Whether an address range is part of a larger one. */
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

/** Ports of API servers: of the Service and of its endpoints. */
export const API_SERVER_PORTS = [tcp(443), tcp(6443)];

export function udp(port: number): Port {
    return { protocol: "UDP", port };
}

function selector(matchLabels: Selector) {
    return Object.keys(matchLabels).length > 0 ? { matchLabels: { ...matchLabels } } : {};
}
