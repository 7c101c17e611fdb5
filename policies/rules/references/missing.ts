import { glob } from "../../cel/glob.ts";
import { json, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import type { Needed } from "./neededByPods.ts";

/** Objects that Kubernetes creates in every namespace. */
const GIVEN = ["ServiceAccount/default", "ConfigMap/kube-root-ca.crt"];
/** Kinds that are only referred to within their namespace, so both belong to the same owner. */
const OWN = ["Middleware", "Role", "TriggerAuthentication"];

/**
 * Checks whether a referenced object exists in the stack. Objects that other programs create, and namespaces that are
 * not part of the stack, are ignored.
 *
 * @param external globs of `Kind/name` that are created outside the stack
 * @returns a message about the missing object, or undefined
 */
export function missing(
    { kind, namespace, name, keys = [] }: Pick<Needed, "kind" | "namespace" | "name" | "keys">,
    stack: Stack,
    external: readonly string[],
): string | undefined {
    const id = `${kind}/${name}`;
    if (GIVEN.includes(id) || external.some((one) => glob(one, id))) return undefined;
    const found = stack.find(kind, namespace, name);
    if (found) {
        const lost = keys.find((key) => !hasKey(found, key));
        return lost === undefined
            ? undefined
            : `refers to the key ${lost} of ${kind} ${name}, which does not exist`;
    }
    if (isMade(kind, namespace, name, stack)) return undefined;
    const isOurs = OWN.includes(kind) ? !namespace.startsWith("kube-") : stack.isWhole(namespace);
    return isOurs
        ? `refers to ${kind} ${namespace === "" ? name : `${namespace}/${name}`}, which does not exist`
        : undefined;
}

/** @returns whether the object may have a key; an object without data is filled by another program. */
function hasKey({ kind, body }: KubernetesObject, key: string): boolean {
    if (kind !== "Secret" && kind !== "ConfigMap") return true;
    const fields = [body.data, body.stringData, body.binaryData].map(json);
    const keys = fields.flatMap((field) => Object.keys(field));
    return keys.length === 0 || keys.includes(key);
}

/** @returns whether a controller creates it for another object of the stack. */
function isMade(kind: string, namespace: string, name: string, stack: Stack): boolean {
    const inside = (of: string) => stack.of(of).filter((one) => one.namespace === namespace);
    if (kind === "Secret") {
        return inside("Certificate").some(({ body }) => json(body.spec).secretName === name);
    }
    if (kind !== "PersistentVolumeClaim") return false;
    // The name of a StatefulSet's claim consists of template, StatefulSet and ordinal.
    return inside("StatefulSet").some((set) => name.includes(`-${set.name}-`));
}
