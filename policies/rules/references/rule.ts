import { Type } from "typebox";
import { stackRule } from "../../engine/rule.ts";
import { POD_KINDS, getPod } from "../../kubernetes/pods.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import { describeMissing } from "./describeMissing.ts";
import { REFERRING_KINDS, listReferences } from "./objectReferences.ts";
import { findUndefinedVolumes } from "./podReferences.ts";

export const references = stackRule({
    name: "references",
    title: "Objects refer only to existing Secrets and keys, ConfigMaps, service accounts, claims, Services, Middlewares and volumes.",
    why: "The API server accepts a reference to a missing object. Pods then stay pending, or requests get a 404 or 500.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/secret/#using-a-secret",
    settings: {
        external: Type.Array(Type.String(), {
            default: [],
            description: "globs of `Kind/name` that are created outside the stack",
        }),
    },
    kinds: [...POD_KINDS, ...REFERRING_KINDS],
    *check(object, stack, { external }) {
        for (const { at: path, container, ...needed } of listReferences(object)) {
            const message = describeMissing(needed, stack, external);
            if (message === undefined) continue;
            yield {
                message,
                path,
                ...(container !== undefined && { container }),
                fix: createFix(needed, stack),
            };
        }
        const pod = getPod(object);
        for (const { name, at: path, container } of pod ? findUndefinedVolumes(pod) : []) {
            const fix = { volumes: [{ name, emptyDir: { sizeLimit: "64Mi" } }] };
            yield {
                message: `mounts the volume ${name}, which the pod does not define`,
                path,
                container,
                fix,
            };
        }
    },
});

/** Proposes existing objects of the same kind, or a definition of the missing one. */
function createFix(
    { kind, namespace, name }: { kind: string; namespace: string; name: string },
    stack: Stack,
) {
    const others = stack.ofKind(kind).filter((one) => one.namespace === namespace);
    const names = others.map((one) => one.name).filter((one) => one !== name);
    if (names.length > 0) return `# one of ${names.slice(0, 5).join(", ")}, or a ${kind} ${name}`;
    return { kind, metadata: { name, ...(namespace !== "" && { namespace }) } };
}
