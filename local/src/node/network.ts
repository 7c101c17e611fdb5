/** The node's own network: one veth pair to the host and no way out. Names are at most 15 characters. */
export const NETWORK = {
    /** Network namespace and cgroup of everything that the node runs. */
    namespace: "property-search",
    hostLink: "psearch-host",
    nodeLink: "psearch-node",
    hostAddress: "10.89.0.1",
    nodeAddress: "10.89.0.2",
    prefixLength: 24,
    podCidr: "10.88.0.0/16",
    nodePodCidr: "10.88.0.0/24",
    serviceCidr: "10.90.0.0/16",
    dnsAddress: "10.90.0.10",
} as const;
