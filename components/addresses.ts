import { NAMESPACES, type NamespaceRole } from "@property-search/contract";

/** Name by which any pod of the cluster finds a Service, whatever its own namespace. */
export function serviceHost(service: string, role: NamespaceRole): string {
    return `${service}.${NAMESPACES[role]}.svc.cluster.local`;
}
