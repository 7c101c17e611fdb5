import { stackRule } from "../../engine/rule.ts";
import { asJson, type KubernetesObject } from "../../kubernetes/object.ts";
import { POD_KINDS } from "../../kubernetes/pods.ts";

/** An object is the same in every API version of its group. */
const getGroup = ({ apiVersion }: KubernetesObject) =>
    apiVersion.includes("/") ? apiVersion.split("/")[0] : "";

export const duplicates = stackRule({
    name: "duplicates",
    title: "Every object is defined once.",
    why: "If two objects have the same name, the last one applied wins, which depends on the order of the files.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
    *check(object, stack) {
        const { kind, namespace, name, body } = object;
        // The API server generates the rest of such a name.
        if (name === "" || !("name" in asJson(body.metadata))) return;
        const same = stack.objects.filter(
            (one) =>
                one.kind === kind &&
                !one.isPatch &&
                getGroup(one) === getGroup(object) &&
                one.namespace === namespace &&
                one.name === name,
        );
        const before = same.indexOf(object);
        if (before < 1) return;
        const label = POD_KINDS.includes(kind) ? "workload" : "object";
        yield {
            message: `is defined ${same.length} times; allowed: one ${label} per name`,
            path: "metadata.name",
            fix: { metadata: { name: `${name}-2` } },
        };
    },
    admissionGap: "the API server treats the second definition as an update of the first",
});
