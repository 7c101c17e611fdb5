import { Type } from "typebox";
import { stackRule } from "../../engine/rule.ts";
import { POD_KINDS, podOf } from "../../kubernetes/pods.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import { missing } from "./missing.ts";
import { NAMING, neededBy } from "./needed.ts";
import { unmounted } from "./neededByPods.ts";

export const references = stackRule({
    name: "references",
    title: "Whatever an object names is there: Secrets and their keys, ConfigMaps, accounts, claims, Services, Middlewares, volumes.",
    why: "The API server takes a name of something that is not there, and the pods wait for it without end, or the requests are answered with 404 or 500.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/secret/#using-a-secret",
    settings: {
        elsewhere: Type.Array(Type.String(), {
            default: [],
            description: "globs of `Kind/name` that somebody else makes",
        }),
    },
    kinds: [...POD_KINDS, ...NAMING],
    *check(object, stack, { elsewhere }) {
        for (const { at, container, ...needed } of neededBy(object)) {
            const what = missing(needed, stack, elsewhere);
            if (what === undefined) continue;
            yield {
                what,
                at,
                ...(container !== undefined && { container }),
                fix: fixOf(needed, stack),
            };
        }
        const pod = podOf(object);
        for (const { name, at, container } of pod ? unmounted(pod) : []) {
            const fix = { volumes: [{ name, emptyDir: { sizeLimit: "64Mi" } }] };
            yield {
                what: `mounts the volume ${name}, which the pod does not have`,
                at,
                container,
                fix,
            };
        }
    },
});

/** What is there of its kind, or how it would be made. */
function fixOf(
    { kind, namespace, name }: { kind: string; namespace: string; name: string },
    stack: Stack,
) {
    const others = stack.of(kind).filter((one) => one.namespace === namespace);
    const names = others.map((one) => one.name).filter((one) => one !== name);
    if (names.length > 0) return `# one of ${names.slice(0, 5).join(", ")}, or a ${kind} ${name}`;
    return { kind, metadata: { name, ...(namespace !== "" && { namespace }) } };
}
