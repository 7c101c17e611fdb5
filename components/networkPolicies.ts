import {
    COLOURS,
    NAMESPACES,
    PORTS,
    type Colour,
    type NamespaceRole,
} from "@property-search/contract";
import type * as k8s from "@pulumi/kubernetes";

type Spec = k8s.types.input.networking.v1.NetworkPolicySpec;
type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;
type Port = k8s.types.input.networking.v1.NetworkPolicyPort;

/** Port on which cert-manager's solver answers a certificate challenge. */
const ACME_SOLVER_PORT = 8089;

export interface Traffic {
    /** Whence the gateway's connections come. */
    readonly gateway: { readonly namespace: string; readonly cidrs: readonly string[] };
    /** Ports of a Redis outside of the cluster; undefined: Redis is in the data namespace. */
    readonly externalRedisPorts?: readonly number[];
    /** Ports of the upstream API and its fallbacks; undefined: the model is in the pod. */
    readonly upstreamPorts?: readonly number[];
    /** Port of the OpenTelemetry collector; undefined: nothing is traced. */
    readonly tracesPort?: number;
    /** Whether certificate challenges are solved in the edge namespace. */
    readonly acme: boolean;
}

/**
 * Network policies of a namespace by name: everything is denied both ways, then what the platform needs
 * is allowed. A cluster whose network does not enforce policies accepts them and does nothing.
 */
export function networkPolicies(role: NamespaceRole, traffic: Traffic): Record<string, Spec> {
    return {
        "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
        "allow-dns": egress([inNamespace("kube-system")], [udp(53), tcp(53)]),
        ...allowances(role, traffic),
    };
}

function allowances(role: NamespaceRole, traffic: Traffic): Record<string, Spec> {
    switch (role) {
        case "blue":
        case "green":
            return colourAllowances(traffic);
        case "data":
            return {
                "allow-clients": ingress(COLOURS.map(inColour), [tcp(PORTS.redis)]),
                "allow-peers-in": ingress([SAME_NAMESPACE], REDIS_PEER_PORTS),
                "allow-peers-out": egress([SAME_NAMESPACE], REDIS_PEER_PORTS),
            };
        case "edge":
            return traffic.acme
                ? {
                      "allow-acme-solver": ingress(gatewayPeers(traffic), [tcp(ACME_SOLVER_PORT)]),
                  }
                : {};
        case "monitoring":
            return { "allow-scrapes": egress(COLOURS.map(inColour), [tcp(PORTS.service)]) };
    }
}

function colourAllowances(traffic: Traffic): Record<string, Spec> {
    const { externalRedisPorts, upstreamPorts, tracesPort } = traffic;
    return {
        "allow-gateway": ingress(gatewayPeers(traffic), [tcp(PORTS.service)]),
        "allow-monitoring": ingress([inNamespace(NAMESPACES.monitoring)], [tcp(PORTS.service)]),
        "allow-redis":
            externalRedisPorts === undefined
                ? egress([inNamespace(NAMESPACES.data)], [tcp(PORTS.redis)])
                : egress(OUTSIDE, externalRedisPorts.map(tcp)),
        ...(upstreamPorts && { "allow-upstream": egress(OUTSIDE, upstreamPorts.map(tcp)) }),
        ...(tracesPort !== undefined && { "allow-traces": egress(OUTSIDE, [tcp(tracesPort)]) }),
    };
}

const SAME_NAMESPACE: Peer = { podSelector: {} };
const REDIS_PEER_PORTS = [tcp(PORTS.redis), tcp(PORTS.redisBus)];

/** Anywhere but link-local addresses, where clouds hand out credentials to whoever asks. */
const OUTSIDE: Peer[] = [
    { ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } },
    { ipBlock: { cidr: "::/0", except: ["fe80::/10", "fd00:ec2::254/128"] } },
];

function gatewayPeers({ gateway }: Traffic): Peer[] {
    return [
        inNamespace(gateway.namespace),
        ...gateway.cidrs.map((cidr): Peer => ({ ipBlock: { cidr } })),
    ];
}

/** Every namespace carries its name as a label, set by the API server. */
function inNamespace(name: string): Peer {
    return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

function inColour(colour: Colour): Peer {
    return inNamespace(NAMESPACES[colour]);
}

function ingress(from: Peer[], ports: Port[]): Spec {
    return { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from, ports }] };
}

function egress(to: Peer[], ports: Port[]): Spec {
    return { podSelector: {}, policyTypes: ["Egress"], egress: [{ to, ports }] };
}

function tcp(port: number): Port {
    return { protocol: "TCP", port };
}

function udp(port: number): Port {
    return { protocol: "UDP", port };
}
