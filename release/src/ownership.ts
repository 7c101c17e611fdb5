import { RELEASE } from "@property-search/contract";
import type { Live } from "./api.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Who owns which field, as server-side apply keeps it in metadata.managedFields.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function ownersOf({ metadata }: Live, path: readonly string[]): readonly string[] {
    return (metadata.managedFields ?? [])
        .filter(({ fieldsV1 }) => holds(fieldsV1 as Fields | undefined, path))
        .map(({ manager }) => manager ?? "");
}

/** Whether somebody besides the driver owns a field. */
export function othersOwn(object: Live, path: readonly string[]): boolean {
    return ownersOf(object, path).some((manager) => manager !== RELEASE.fieldManager);
}

/**
 * The object with a field of the driver's handed to the one who applies another field of it, as if it had
 * never been the driver's: a deploy then changes it without a conflict, and may leave it out.
 *
 * @param path of the field
 * @param neighbour path of a field that its owner applies too
 */
export function handedBack<T extends Live>(
    object: T,
    path: readonly string[],
    neighbour: readonly string[],
): T {
    const managedFields = (object.metadata.managedFields ?? []).flatMap((entry) => {
        const fields = entry.fieldsV1 as Fields | undefined;
        if (entry.manager === RELEASE.fieldManager) return [];
        if (entry.operation !== "Apply" || !holds(fields, neighbour)) return [entry];
        return [{ ...entry, fieldsV1: added(fields ?? {}, path) }];
    });
    return { ...object, metadata: { ...object.metadata, managedFields } };
}

function holds(fields: Fields | undefined, path: readonly string[]): boolean {
    const [first, ...rest] = path;
    if (first === undefined) return true;
    const inner = fields?.[`f:${first}`];
    return inner !== undefined && holds(inner as Fields, rest);
}

function added(fields: Fields, path: readonly string[]): Fields {
    const [first, ...rest] = path;
    if (first === undefined) return fields;
    const key = `f:${first}`;
    return { ...fields, [key]: added((fields[key] ?? {}) as Fields, rest) };
}
