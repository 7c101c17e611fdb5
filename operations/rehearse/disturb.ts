import type { KubernetesObject, V1ManagedFieldsEntry } from "@kubernetes/client-node";
import {
    ClusterError,
    keyOf,
    statusOf,
    type Cluster,
    type ObjectReference,
} from "../cluster/connect.ts";

/** Field manager of faults. It owns nothing afterwards. */
const MANAGER = "property-search-rehearsal";
const ATTEMPTS = 5;

/**
 * Changes an object as somebody does by hand, past the stack's config. The changed fields then have no owner: a deploy
 * writes its own values again, without a conflict.
 *
 * @param change changes the live object in place
 * @returns the changed object
 */
export async function disturb<T extends KubernetesObject>(
    cluster: Cluster,
    reference: ObjectReference,
    change: (object: T) => void,
): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
        const object = await cluster.objects.read<T>(reference);
        change(object);
        try {
            const changed = await cluster.objects.replace(object, { fieldManager: MANAGER });
            await disown(cluster, reference, (manager) => manager === MANAGER);
            return changed;
        } catch (error) {
            if (statusOf(error) !== 409) throw error;
            if (attempt === ATTEMPTS) {
                throw new ClusterError(`${keyOf(reference)} is changed by others all the time`);
            }
        }
    }
}

/** Removes field managers from an object, and thereby the conflicts of later deploys with their values. */
export async function disown(
    cluster: Cluster,
    reference: ObjectReference,
    isDisowned: (manager: string) => boolean,
): Promise<void> {
    const { apiVersion, kind, metadata } = await cluster.objects.read(reference);
    const entries: readonly V1ManagedFieldsEntry[] = metadata?.managedFields ?? [];
    // Status belongs to controllers, whatever they are called.
    const managedFields = entries.filter(
        ({ manager = "", subresource }) => subresource === "status" || !isDisowned(manager),
    );
    if (managedFields.length === entries.length || managedFields.length === 0) return;
    const { namespace, name } = reference;
    await cluster.objects.merge({
        apiVersion: apiVersion ?? reference.apiVersion,
        kind: kind ?? reference.kind,
        metadata: { name, ...(namespace !== undefined && { namespace }), managedFields },
    });
}
