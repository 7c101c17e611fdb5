import { asList, type Json, type KubernetesObject } from "./object.ts";

export const GROUP = "gateway.networking.k8s.io";

/** Kinds of routes of the Gateway API (https://gateway-api.sigs.k8s.io/reference/spec/). */
export const ROUTES = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"] as const;

/** A reference of a route to another object. */
export interface Reference {
    /** Path in the route. */
    readonly path: string;
    readonly ref: Json;
    readonly namespace: string;
    readonly name: string;
}

/** Lists references, whose default namespace is the route's. */
export function listReferences(route: KubernetesObject, refs: unknown, path: string): Reference[] {
    return asList(refs).map((ref, index) => ({
        path: `${path}[${index}]`,
        ref,
        get namespace() {
            return typeof ref.namespace === "string" ? ref.namespace : route.namespace;
        },
        get name() {
            return String(ref.name);
        },
    }));
}

/** @returns whether a backend is a Service rather than an implementation-specific object. */
export function isService({ group = "", kind = "Service" }: Json): boolean {
    return group === "" && kind === "Service";
}
