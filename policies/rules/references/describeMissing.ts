import { matchesGlob } from "../../cel/glob.ts";
import { asJson, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import type { ObjectReference } from "./podReferences.ts";

/** Objects that Kubernetes creates in every namespace. */
const BUILT_IN = ["ServiceAccount/default", "ConfigMap/kube-root-ca.crt"];
/** Kinds that are only referred to within their namespace, so both belong to the same owner. */
const SAME_NAMESPACE_KINDS = ["Middleware", "Role", "TriggerAuthentication"];

/**
 * Checks whether a referenced object exists in the stack. Objects that other programs create, and namespaces that are
 * not part of the stack, are ignored.
 *
 * @param external globs of `Kind/name` that are created outside the stack
 * @returns a message about the missing object, or undefined
 */
export function describeMissing(
    {
        kind,
        namespace,
        name,
        keys = [],
    }: Pick<ObjectReference, "kind" | "namespace" | "name" | "keys">,
    stack: Stack,
    external: readonly string[],
): string | undefined {
    const id = `${kind}/${name}`;
    if (BUILT_IN.includes(id) || external.some((one) => matchesGlob(one, id))) return undefined;
    const found = stack.find(kind, namespace, name);
    if (found) {
        const lost = keys.find((key) => !hasKey(found, key));
        return lost === undefined
            ? undefined
            : `refers to the key ${lost} of ${kind} ${name}, which does not exist`;
    }
    if (isCreatedByOther(kind, namespace, name, stack)) return undefined;
    const isOurs = SAME_NAMESPACE_KINDS.includes(kind)
        ? !namespace.startsWith("kube-")
        : stack.isComplete(namespace);
    return isOurs
        ? `refers to ${kind} ${namespace === "" ? name : `${namespace}/${name}`}, which does not exist`
        : undefined;
}

/** @returns whether the object may have a key; an object without data is filled by another program. */
function hasKey({ kind, body }: KubernetesObject, key: string): boolean {
    if (kind !== "Secret" && kind !== "ConfigMap") return true;
    const fields = [body.data, body.stringData, body.binaryData].map(asJson);
    const keys = fields.flatMap((field) => Object.keys(field));
    return keys.length === 0 || keys.includes(key);
}

/** @returns whether a controller creates it for another object of the stack. */
function isCreatedByOther(kind: string, namespace: string, name: string, stack: Stack): boolean {
    const inNamespace = (of: string) =>
        stack.ofKind(of).filter((one) => one.namespace === namespace);
    if (kind === "Secret") {
        return inNamespace("Certificate").some(({ body }) => asJson(body.spec).secretName === name);
    }
    if (kind !== "PersistentVolumeClaim") return false;
    // The name of a StatefulSet's claim consists of template, StatefulSet and ordinal.
    return inNamespace("StatefulSet").some((set) => name.includes(`-${set.name}-`));
}
