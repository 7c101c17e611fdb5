import type { KubernetesObject, V1ManagedFieldsEntry } from "@kubernetes/client-node";
import { RELEASE } from "@property-search/contract";
import {
    causesOf,
    headerOf,
    referenceOf,
    statusOf,
    type Cluster,
    type Manifest,
} from "../apply/cluster.ts";

const SPEC = "f:spec";

/**
 * Whether the release driver owns fields of an object's spec, as server-side apply keeps it
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management). It does from its first
 * write until a deploy has agreed with what it wrote.
 */
export function isClaimed({ metadata }: KubernetesObject): boolean {
    return (metadata?.managedFields ?? []).some((entry) => isOfDriver(entry) && claims(entry));
}

/**
 * Ends the driver's claim on an object's spec; its annotations stay its own. Not by an apply of the driver
 * without those fields: that deletes what nobody else owns, such as all rules of a route.
 *
 * @returns whether that is done; false: the object has changed since it was read.
 */
export async function endClaim(cluster: Cluster, object: Manifest): Promise<boolean> {
    const managedFields = (object.metadata.managedFields ?? []).flatMap((entry) =>
        isOfDriver(entry) ? withoutSpec(entry) : [entry],
    );
    const { resourceVersion = "" } = object.metadata;
    const header = headerOf(referenceOf(object));
    const metadata = { ...header.metadata, resourceVersion, managedFields };
    try {
        await cluster.objects.merge({ ...header, metadata });
        return true;
    } catch (error) {
        if (statusOf(error) === 409) return false;
        throw error;
    }
}

/** Whether an apply was refused for fields that the release driver owns, and for nothing else. */
export function byDriverAlone(error: unknown): boolean {
    if (statusOf(error) !== 409) return false;
    const causes = causesOf(error);
    // What follows the name differs by how the fields came to be the driver's.
    const ours = `conflict with "${RELEASE.fieldManager}"`;
    return causes.length > 0 && causes.every(({ message }) => message?.startsWith(ours));
}

function isOfDriver({ manager, subresource }: V1ManagedFieldsEntry): boolean {
    return manager === RELEASE.fieldManager && subresource === undefined;
}

function claims({ fieldsV1 }: V1ManagedFieldsEntry): boolean {
    return fieldsV1 !== undefined && SPEC in fieldsV1;
}

function withoutSpec(entry: V1ManagedFieldsEntry): V1ManagedFieldsEntry[] {
    const fields = (entry.fieldsV1 ?? {}) as Readonly<Record<string, unknown>>;
    const rest = Object.entries(fields).filter(([field]) => field !== SPEC);
    return rest.length === 0 ? [] : [{ ...entry, fieldsV1: Object.fromEntries(rest) }];
}
