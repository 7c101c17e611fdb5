import type * as k8s from "@pulumi/kubernetes";

export type Spec = k8s.types.input.networking.v1.NetworkPolicySpec;
export type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;
export type Port = k8s.types.input.networking.v1.NetworkPolicyPort;
type Selector = Readonly<Record<string, string>>;

export const SAME_NAMESPACE: Peer = { podSelector: {} };

/** Anywhere but link-local addresses, where clouds hand out credentials to whoever asks. */
export const OUTSIDE: Peer[] = [
    { ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } },
    { ipBlock: { cidr: "::/0", except: ["fe80::/10", "fd00:ec2::254/128"] } },
];

/** Every namespace carries its name as a label, set by the API server. */
export function inNamespace(name: string): Peer {
    return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

export function inRange(cidr: string): Peer {
    return { ipBlock: { cidr } };
}

/** Into pods of the namespace. Default: into all of them. */
export function ingress(from: Peer[], ports: Port[], into: Selector = {}): Spec {
    return {
        podSelector: selector(into),
        policyTypes: ["Ingress"],
        ingress: [{ from, ports }],
    };
}

/** Out of pods of the namespace. Default: out of all of them. */
export function egress(to: Peer[], ports: Port[], outOf: Selector = {}): Spec {
    return { podSelector: selector(outOf), policyTypes: ["Egress"], egress: [{ to, ports }] };
}

export function tcp(port: number): Port {
    return { protocol: "TCP", port };
}

export function udp(port: number): Port {
    return { protocol: "UDP", port };
}

function selector(matchLabels: Selector) {
    return Object.keys(matchLabels).length > 0 ? { matchLabels: { ...matchLabels } } : {};
}
