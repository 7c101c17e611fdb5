import type { KubernetesObject } from "@kubernetes/client-node";
import { CERTIFICATES_NAMESPACE } from "@property-search/contract";
import {
    deleteIfExists,
    keyOf,
    readIfExists,
    statusOf,
    type Cluster,
    type ObjectReference,
} from "../../cluster/connect.ts";
import type { OwnedReference } from "./ownership.ts";

const DEFINITION = "CustomResourceDefinition";
/** Helm's annotation for objects that outlive their release. */
const RESOURCE_POLICY = "helm.sh/resource-policy";

interface Definition extends KubernetesObject {
    spec?: {
        group: string;
        names: { kind: string };
        versions: { name: string; served: boolean }[];
    };
}

/**
 * Objects of a stack in the order of their removal, without those in its own namespaces: namespaces first, then
 * cert-manager, which ends their open challenges, then the kinds.
 */
export function removalPhases(inventory: readonly OwnedReference[]): OwnedReference[][] {
    const own = new Set(inventory.filter(isNamespace).map(({ name }) => name));
    const phases: OwnedReference[][] = [[], [], []];
    for (const reference of inventory) {
        const { kind, namespace } = reference;
        if (namespace !== undefined && own.has(namespace)) continue;
        const isFirst = isNamespace(reference)
            ? reference.name !== CERTIFICATES_NAMESPACE
            : namespace !== undefined;
        phases[isFirst ? 0 : kind === DEFINITION ? 2 : 1]?.push(reference);
    }
    return phases;
}

/**
 * Deletes an object, unless it defines a kind that outlives the stack and other objects of that kind exist: they would be
 * deleted too.
 */
export async function deleteUnlessUsed(
    cluster: Cluster,
    reference: OwnedReference,
    report: (line: string) => void,
): Promise<void> {
    if (reference.kind === DEFINITION) {
        const users = await countUsers(cluster, reference);
        if (users > 0) {
            report(
                `kept ${keyOf(reference)}: ${users} objects of this kind do not belong to the stack`,
            );
            return;
        }
    }
    await deleteIfExists(cluster, reference, reference.uid);
}

/** Counts the objects of a kind that outlives the stack. */
async function countUsers(cluster: Cluster, reference: ObjectReference): Promise<number> {
    const definition = await readIfExists<Definition>(cluster, reference);
    if (definition?.metadata?.annotations?.[RESOURCE_POLICY] !== "keep" || !definition.spec)
        return 0;
    const { group, names, versions } = definition.spec;
    const version = versions.find(({ served }) => served)?.name ?? "";
    try {
        return (await cluster.objects.list(`${group}/${version}`, names.kind)).items.length;
    } catch (error) {
        if (statusOf(error) === 404) return 0;
        throw error;
    }
}

function isNamespace({ kind }: ObjectReference): boolean {
    return kind === "Namespace";
}
