import { list, type Json, type KubernetesObject } from "./object.ts";

export const GROUP = "gateway.networking.k8s.io";

/** Kinds of routes of the Gateway API (https://gateway-api.sigs.k8s.io/reference/spec/). */
export const ROUTES = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"] as const;

/** Something that a route names. */
export interface Reference {
    /** Its place in the route. */
    readonly at: string;
    readonly ref: Json;
    readonly namespace: string;
    readonly name: string;
}

/** In the route's own namespace, unless they name another. */
export function references(route: KubernetesObject, refs: unknown, at: string): Reference[] {
    return list(refs).map((ref, index) => ({
        at: `${at}[${index}]`,
        ref,
        get namespace() {
            return typeof ref.namespace === "string" ? ref.namespace : route.namespace;
        },
        get name() {
            return String(ref.name);
        },
    }));
}

/** The Service that a backend is, or another object that only its implementation knows. */
export function isService({ group = "", kind = "Service" }: Json): boolean {
    return group === "" && kind === "Service";
}
