import type { KubernetesObject, V1ManagedFieldsEntry } from "@kubernetes/client-node";
import { RELEASE } from "@property-search/contract";
import { causesOf, statusOf, type Manifest } from "./connect.ts";

/*
 * Field ownership of server-side apply in metadata.managedFields
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management). The release driver ends its
 * ownership by editing that list, not by an apply without the fields: that deletes what nobody else owns, such as all
 * rules of a route.
 *
 * Two edits end it. `withoutDriverSpec` is used by a deploy, which applies the whole object next: the field needs no other
 * owner, and the driver keeps its annotations. `transferOwnership` is used by the driver, which no deploy follows at once:
 * the field gets the owner of a neighbouring field, since it would have none otherwise.
 */

const SPEC = ["spec"] as const;

type Fields = Readonly<Record<string, unknown>>;

export function ownersOf({ metadata }: KubernetesObject, path: readonly string[]): string[] {
    return (metadata?.managedFields ?? [])
        .filter((entry) => containsPath(fieldsOf(entry), path))
        .map(({ manager }) => manager ?? "");
}

/** Whether a field has an owner other than the driver. */
export function hasOtherOwners(object: KubernetesObject, path: readonly string[]): boolean {
    return ownersOf(object, path).some((manager) => manager !== RELEASE.fieldManager);
}

/**
 * Whether the release driver owns fields of an object's spec: from its first write until a deploy agrees with its values.
 */
export function isOwnedByDriver({ metadata }: KubernetesObject): boolean {
    return (metadata?.managedFields ?? []).some(
        (entry) => isDriverEntry(entry) && containsPath(fieldsOf(entry), SPEC),
    );
}

/** The managedFields without the driver's fields of the spec. */
export function withoutDriverSpec({ metadata }: Manifest): V1ManagedFieldsEntry[] {
    return (metadata.managedFields ?? []).flatMap((entry) => {
        if (!isDriverEntry(entry)) return [entry];
        const rest = Object.entries(fieldsOf(entry)).filter(([field]) => field !== "f:spec");
        return rest.length === 0 ? [] : [{ ...entry, fieldsV1: Object.fromEntries(rest) }];
    });
}

/**
 * The object with a field of the driver transferred to the owner of another field: a deploy then changes or omits the
 * field without a conflict.
 *
 * @param path of the field
 * @param neighbour path of a field of the new owner
 */
export function transferOwnership<T extends Manifest>(
    object: T,
    path: readonly string[],
    neighbour: readonly string[],
): T {
    const managedFields = (object.metadata.managedFields ?? []).flatMap((entry) => {
        const fields = fieldsOf(entry);
        if (entry.manager === RELEASE.fieldManager) return [];
        if (entry.operation !== "Apply" || !containsPath(fields, neighbour)) return [entry];
        return [{ ...entry, fieldsV1: withPath(fields, path) }];
    });
    return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** Whether an apply conflicts with fields of the release driver only. */
export function isConflictWithDriverOnly(error: unknown): boolean {
    if (statusOf(error) !== 409) return false;
    const causes = causesOf(error);
    // The rest of the message depends on the operation that made the driver the owner.
    const ours = `conflict with "${RELEASE.fieldManager}"`;
    return causes.length > 0 && causes.every(({ message }) => message?.startsWith(ours));
}

function isDriverEntry({ manager, subresource }: V1ManagedFieldsEntry): boolean {
    return manager === RELEASE.fieldManager && subresource === undefined;
}

function fieldsOf({ fieldsV1 }: V1ManagedFieldsEntry): Fields {
    return (fieldsV1 ?? {}) as Fields;
}

function containsPath(fields: Fields | undefined, path: readonly string[]): boolean {
    const [first, ...rest] = path;
    if (first === undefined) return true;
    const inner = fields?.[`f:${first}`];
    return inner !== undefined && containsPath(inner as Fields, rest);
}

function withPath(fields: Fields, path: readonly string[]): Fields {
    const [first, ...rest] = path;
    if (first === undefined) return fields;
    const key = `f:${first}`;
    return { ...fields, [key]: withPath((fields[key] ?? {}) as Fields, rest) };
}
