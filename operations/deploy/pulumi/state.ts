import { isSharedWithRelease } from "../apply/coexistWithRelease.ts";
import type { Manifest } from "../../cluster/connect.ts";

/** A Kubernetes object of a stack's state. */
export interface StateObject {
    readonly urn: string;
    readonly inputs: Manifest;
}

interface Export {
    readonly deployment?: {
        readonly resources?: readonly { readonly urn: string; readonly inputs?: unknown }[];
    } | null;
}

/** URNs of the stack's objects that the release driver also writes, from `pulumi stack export`. */
export function sharedUrns(exported: string): readonly string[] {
    return objectsOf(JSON.parse(exported))
        .filter(({ inputs }) => isSharedWithRelease(inputs))
        .map(({ urn }) => urn);
}

/** The Kubernetes objects of an exported state. */
export function objectsOf(exported: unknown): readonly StateObject[] {
    const { deployment } = exported as Export;
    return (deployment?.resources ?? []).flatMap(({ urn, inputs }) =>
        isManifest(inputs) ? [{ urn, inputs }] : [],
    );
}

function isManifest(inputs: unknown): inputs is Manifest {
    if (typeof inputs !== "object" || inputs === null) return false;
    const { kind, metadata } = inputs as Partial<Manifest>;
    return typeof kind === "string" && typeof metadata?.name === "string";
}
