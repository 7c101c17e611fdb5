import { NAMESPACES, type NamespaceRole } from "@property-search/contract";

/** DNS name of a Service, which resolves in every namespace. */
export function serviceHost(service: string, role: NamespaceRole): string {
    return `${service}.${NAMESPACES[role]}.svc.cluster.local`;
}
