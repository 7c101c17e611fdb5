import type { V1ManagedFieldsEntry } from "@kubernetes/client-node";
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { keyOf, referenceOf, type Manifest, type ObjectReference } from "../../cluster/connect.ts";
import { ApiError } from "../../cluster/objects.ts";

type Tree = Record<string, unknown>;

/**
 * Objects of an API server in memory, with what a deploy and the driver depend on: resource versions, generations, and
 * server-side apply with owners of fields. A list is one value, as the rules of a route are.
 */
export class ObjectStore {
    readonly #objects = new Map<string, Manifest>();
    #version = 0;
    /** Called with each written object, before and after the write. */
    onWrite: (before: Manifest | undefined, after: Manifest) => void = () => undefined;

    read(reference: ObjectReference): Manifest | undefined {
        return clone(this.#objects.get(keyOf(reference)));
    }

    /** Objects of a kind, in one namespace or in all. */
    list(kind: string, namespace?: string): Manifest[] {
        return [...this.#objects.values()].filter(
            (one) =>
                one.kind === kind &&
                (namespace === undefined || one.metadata.namespace === namespace),
        );
    }

    create<T extends Manifest>(object: T): T {
        if (this.#find(object)) throw conflict("already exists");
        return this.#put(undefined, object);
    }

    replace<T extends Manifest>(object: T): T {
        const before = this.#find(object);
        const { resourceVersion } = object.metadata;
        if (before?.metadata.resourceVersion !== resourceVersion) throw conflict("changed");
        return this.#put(before, object);
    }

    /** Changes an object as its controller, in any version. */
    change(
        reference: ObjectReference,
        how: (object: Manifest & { status?: unknown }) => void,
    ): void {
        const before = this.#objects.get(keyOf(reference));
        if (!before) throw new Error(`no ${keyOf(reference)}`);
        const after = clone(before);
        how(after);
        this.#put(before, after);
    }

    /** Replaces the owners of an object's fields, as a merge patch. */
    setManagedFields(object: Manifest): Manifest {
        const before = this.#find(object);
        const { resourceVersion, managedFields } = object.metadata;
        if (!before || before.metadata.resourceVersion !== resourceVersion)
            throw conflict("changed");
        const { metadata } = before;
        return this.#put(before, { ...before, metadata: { ...metadata, managedFields } as never });
    }

    /** @throws ApiError 409 for another version, and without force for fields of others */
    apply<T extends Manifest>(object: T, manager: string, force: boolean): T {
        const before = this.#find(object);
        const { resourceVersion } = object.metadata;
        if (resourceVersion !== undefined && before?.metadata.resourceVersion !== resourceVersion)
            throw conflict("changed");
        const live = clone(before ?? object);
        const owners = ownersIn(live);
        const given = fieldsOf(object);
        const changes = [...given].filter(
            ([field, value]) => !isDeepStrictEqual(at(live, field), value),
        );
        const causes = changes.flatMap(([field]) =>
            [...owners]
                .filter(([owner, has]) => owner !== manager && has.has(field))
                .map(([owner]) => ({
                    reason: "FieldManagerConflict",
                    message: `conflict with ${JSON.stringify(owner)}`,
                    field: `.${field.replaceAll("|", ".")}`,
                })),
        );
        if (causes.length > 0 && !force) throw conflict("Apply failed with conflicts", causes);
        for (const [field, value] of changes) {
            for (const [owner, has] of owners) if (owner !== manager) has.delete(field);
            set(live, field, value);
        }
        for (const field of owners.get(manager) ?? []) {
            const isShared = [...owners].some(([who, has]) => who !== manager && has.has(field));
            if (!given.has(field) && !isShared) set(live, field, undefined);
        }
        owners.set(manager, new Set(given.keys()));
        live.metadata.managedFields = [...owners]
            .filter(([, has]) => has.size > 0)
            .map(([owner, has]) => ({
                ...{ manager: owner, operation: "Apply", fieldsType: "FieldsV1" },
                fieldsV1: nested(has),
            }));
        return this.#put(before, live) as T;
    }

    /** Deletes an object; with a namespace, all that is in it. @throws ApiError 404, and 409 for another UID */
    delete(reference: ObjectReference, uid?: string): void {
        const found = this.#objects.get(keyOf(reference));
        if (!found) throw new ApiError(404, JSON.stringify({ message: "not found" }));
        if (uid !== undefined && uid !== found.metadata.uid) throw conflict("the UID differs");
        this.#objects.delete(keyOf(reference));
        if (reference.kind !== "Namespace") return;
        for (const [key, { metadata }] of this.#objects)
            if (metadata.namespace === reference.name) this.#objects.delete(key);
    }

    #find(object: Manifest): Manifest | undefined {
        return this.#objects.get(keyOf(referenceOf(object)));
    }

    #put<T extends Manifest>(before: Manifest | undefined, object: T): T {
        this.#version += 1;
        const after = clone(object);
        const isChanged = before && !isDeepStrictEqual(specOf(before), specOf(after));
        after.metadata = {
            ...{ uid: randomUUID(), creationTimestamp: "2026-11-29T02:00:00Z" as never },
            ...{ managedFields: [] },
            ...before?.metadata,
            ...after.metadata,
            resourceVersion: String(this.#version),
            generation: (before?.metadata.generation ?? 1) + (isChanged ? 1 : 0),
        };
        this.#objects.set(keyOf(referenceOf(after)), after);
        this.onWrite(before, after);
        return clone(after);
    }
}

function conflict(message: string, causes: readonly object[] = []): ApiError {
    return new ApiError(409, JSON.stringify({ message, reason: "Conflict", details: { causes } }));
}

/** Copies by JSON, as the API does; structuredClone of Jest's realm creates other objects. */
function clone<T>(value: T): T {
    return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

function specOf(object: Manifest): unknown {
    return (object as Manifest & { spec?: unknown }).spec;
}

const NO_FIELDS =
    /^(apiVersion|kind|metadata\|(name|namespace|resourceVersion|managedFields|uid|creationTimestamp))$/;

/** Values of applied fields by their path, whose parts are separated by `|`. */
function fieldsOf(object: object): Map<string, unknown> {
    return new Map([...valuesIn(object)].filter(([field]) => !NO_FIELDS.test(field)));
}

function* valuesIn(value: object, above = ""): Generator<[field: string, value: unknown]> {
    for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
        if (typeof inner === "object" && inner !== null && !Array.isArray(inner))
            yield* valuesIn(inner, `${above}${key}|`);
        else if (inner !== undefined) yield [`${above}${key}`, inner];
    }
}

function at(object: Manifest, field: string): unknown {
    return field
        .split("|")
        .reduce<unknown>((tree, name) => (tree as Tree | undefined)?.[name], object);
}

function set(object: object, field: string, value: unknown): void {
    const names = field.split("|");
    const last = names.pop() ?? "";
    let tree = object as Tree;
    for (const name of names) tree = (tree[name] ??= {}) as Tree;
    if (value === undefined) Reflect.deleteProperty(tree, last);
    else tree[last] = clone(value);
}

function nested(fields: ReadonlySet<string>): Tree {
    const root: Tree = {};
    for (const field of fields) set(root, field.replaceAll(/(^|\|)/g, "$1f:"), {});
    return root;
}

function ownersIn({ metadata }: Manifest): Map<string, Set<string>> {
    return new Map(
        (metadata.managedFields ?? []).map(({ manager = "", fieldsV1 }) => [
            manager,
            new Set(leaves(fieldsV1)),
        ]),
    );
}

function leaves(fields: V1ManagedFieldsEntry["fieldsV1"], above = ""): string[] {
    return Object.entries((fields ?? {}) as Tree).flatMap(([name, inner]) => {
        const field = `${above}${name.replace("f:", "")}`;
        return Object.keys(inner as Tree).length === 0 ? [field] : leaves(inner, `${field}|`);
    });
}
