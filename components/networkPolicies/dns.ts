import type { Destination } from "./policies.ts";

const DNS_PORT = 53;
const atAddress = (address: string) => ({ cidr: `${address}/32`, port: DNS_PORT });

/** DNS servers of a platform, as the address of a packet that leaves a pod. docs/network.md gives the sources. */
export const DNS_PRESETS = {
    "kube-system": [{ namespace: "kube-system", podLabels: {}, port: DNS_PORT }],
    "node-local": [atAddress("169.254.20.10")],
    "gke-cloud-dns": [atAddress("169.254.169.254")],
    "eks-auto-mode": [atAddress("172.20.0.10"), atAddress("10.100.0.10")],
    "aks-local-dns": [atAddress("169.254.10.10"), atAddress("169.254.10.11")],
    openshift: [{ namespace: "openshift-dns", podLabels: {}, port: 5353 }],
} satisfies Readonly<Record<string, readonly Destination[]>>;

/** DNS servers of most clusters. */
export const DEFAULT_DNS: readonly Destination[] = [
    ...DNS_PRESETS["kube-system"],
    ...DNS_PRESETS["node-local"],
];
