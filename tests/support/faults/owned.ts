import type { KubernetesObject, V1ManagedFieldsEntry } from "@kubernetes/client-node";

type Fields = Readonly<Record<string, object>>;
type Values = Readonly<Record<string, unknown>>;

/**
 * What a field manager has applied of an object: applied again by the same manager, it changes nothing, and
 * takes back what was applied in between
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
 *
 * @throws Error when it has applied nothing
 */
export function ownedBy<T extends KubernetesObject>(object: T, manager: string): T {
    const entry = (object.metadata?.managedFields ?? []).find((one) => isApply(one, manager));
    if (entry?.fieldsV1 === undefined) throw new Error(`${manager} has applied none of it`);
    const { name = "", namespace = "" } = object.metadata ?? {};
    const fields = pick(object, entry.fieldsV1 as Fields) as Values;
    const metadata = { ...(fields.metadata as object | undefined), name, namespace };
    const { apiVersion = "apps/v1", kind = "Deployment" } = object;
    return { ...fields, apiVersion, kind, metadata } as unknown as T;
}

function isApply(entry: V1ManagedFieldsEntry, manager: string): boolean {
    return entry.manager === manager && entry.operation === "Apply" && !entry.subresource;
}

/** `f:` is a field, `k:` an item by its keys, `v:` one by its value; without any of them it is whole. */
function pick(value: unknown, fields: Fields): unknown {
    const inner = Object.entries(fields).filter(([key]) => key !== ".");
    if (inner.length === 0) return value;
    if (Array.isArray(value)) {
        return inner.map(([key, below]) => pickItem(value, key, below as Fields));
    }
    const all = (value ?? {}) as Values;
    return Object.fromEntries(
        inner.map(([key, below]) => {
            const name = key.slice(2);
            return [name, pick(all[name], below as Fields)];
        }),
    );
}

function pickItem(items: readonly unknown[], key: string, below: Fields): unknown {
    const wanted: unknown = JSON.parse(key.slice(2));
    if (key.startsWith("v:")) return wanted;
    const keys = Object.entries(wanted as Values);
    const item = items.find((one) => keys.every(([name, is]) => (one as Values)[name] === is));
    return { ...(pick(item, below) as object), ...(wanted as object) };
}
