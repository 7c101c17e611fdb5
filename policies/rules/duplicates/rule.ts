import { anyRule } from "../../engine/rule.ts";
import { json, type KubernetesObject } from "../../kubernetes/object.ts";
import { POD_KINDS } from "../../kubernetes/pods.ts";

/** Kinds of no version that counts: an object is the same in each version of its group. */
const groupOf = ({ apiVersion }: KubernetesObject) =>
    apiVersion.includes("/") ? apiVersion.split("/")[0] : "";

export const duplicates = anyRule({
    name: "duplicates",
    title: "Every object is there once.",
    why: "Of two with one name the last that is applied wins, and which one that is changes with the order of files.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
    *check(object, stack) {
        const { kind, namespace, name, body } = object;
        // The server makes up the rest of such a name.
        if (name === "" || !("name" in json(body.metadata))) return;
        const same = stack.objects.filter(
            (one) =>
                one.kind === kind &&
                !one.isPatch &&
                groupOf(one) === groupOf(object) &&
                one.namespace === namespace &&
                one.name === name,
        );
        const before = same.indexOf(object);
        if (before < 1) return;
        const label = POD_KINDS.includes(kind) ? "workload" : "object";
        yield {
            what: `is there ${same.length} times, as one ${label} cannot be`,
            at: "metadata.name",
            fix: { metadata: { name: `${name}-2` } },
        };
    },
    unsaid: "since the API server has one object of a name, and takes the second for a change of the first",
});
