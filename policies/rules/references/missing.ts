import { glob } from "../../cel/glob.ts";
import { json, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import type { Needed } from "./neededByPods.ts";

/** In each namespace, made by Kubernetes itself. */
const GIVEN = ["ServiceAccount/default", "ConfigMap/kube-root-ca.crt"];
/** Kinds that are named in the own namespace only: whoever writes the one writes the other. */
const OWN = ["Middleware", "Role", "TriggerAuthentication"];

/**
 * Whether something that is named is not there, as far as the stack shows: nothing is said of what other
 * programs make, and of namespaces that the stack does not have.
 *
 * @param elsewhere globs of `Kind/name` that somebody else makes
 * @returns what is missing, in words that follow the name of the object
 */
export function missing(
    { kind, namespace, name, keys = [] }: Pick<Needed, "kind" | "namespace" | "name" | "keys">,
    stack: Stack,
    elsewhere: readonly string[],
): string | undefined {
    const called = `${kind}/${name}`;
    if (GIVEN.includes(called) || elsewhere.some((one) => glob(one, called))) return undefined;
    const found = stack.find(kind, namespace, name);
    if (found) {
        const lost = keys.find((key) => !hasKey(found, key));
        return lost === undefined
            ? undefined
            : `names the key ${lost} of ${kind} ${name}, which it does not have`;
    }
    if (isMade(kind, namespace, name, stack)) return undefined;
    const isOurs = OWN.includes(kind) ? !namespace.startsWith("kube-") : stack.isWhole(namespace);
    return isOurs
        ? `names ${kind} ${namespace === "" ? name : `${namespace}/${name}`}, which is not there`
        : undefined;
}

/** Whether it may have a key: one without any data is filled in by somebody else. */
function hasKey({ kind, body }: KubernetesObject, key: string): boolean {
    if (kind !== "Secret" && kind !== "ConfigMap") return true;
    const fields = [body.data, body.stringData, body.binaryData].map(json);
    const keys = fields.flatMap((field) => Object.keys(field));
    return keys.length === 0 || keys.includes(key);
}

/** Whether another object of the stack has it made, under this name. */
function isMade(kind: string, namespace: string, name: string, stack: Stack): boolean {
    const inside = (of: string) => stack.of(of).filter((one) => one.namespace === namespace);
    if (kind === "Secret") {
        return inside("Certificate").some(({ body }) => json(body.spec).secretName === name);
    }
    if (kind !== "PersistentVolumeClaim") return false;
    // Claims of a StatefulSet are called by its template, its name and a number.
    return inside("StatefulSet").some((set) => name.includes(`-${set.name}-`));
}
