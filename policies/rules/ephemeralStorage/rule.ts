import { Type } from "typebox";
import { cel, said, words } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { amountOf } from "../../kubernetes/quantity.ts";
import { UNBOUNDED, unbounded } from "./volumes.ts";

const MISSING = "has no ephemeral-storage limit";
const AT = "resources.limits.ephemeral-storage";
const LIMIT = amountOf("limits", "ephemeral-storage");
const endless = words((name) => said`has an emptyDir ${name} without a sizeLimit`);
const sizeOf = words((name) => said`volumes[${name}].emptyDir.sizeLimit`);

export const ephemeralStorage = containerRule({
    name: "ephemeral-storage",
    title: "What a container may write to its node is limited, and so is every emptyDir.",
    why: "A log or a temporary folder that grows fills the node's disk, and the node then evicts the pods of others.",
    severity: "medium",
    // Most charts leave it to a LimitRange of the namespace.
    level: "advisory",
    url: "https://kubernetes.io/docs/concepts/storage/ephemeral-storage/",
    settings: {
        limits: Type.Boolean({ default: true, description: "containers need a limit" }),
        sizeLimits: Type.Boolean({ default: true, description: "each emptyDir needs a sizeLimit" }),
        remedy: Type.String({
            default: "",
            description:
                "the sizeLimit that the remedy sets; empty: none, since only who runs the pod knows its size",
        }),
    },
    *check({ spec }, { limits }) {
        if (!limits || spec.resources?.limits?.["ephemeral-storage"] !== undefined) return;
        const fix = { resources: { limits: { "ephemeral-storage": "512Mi" } } };
        yield { what: MISSING, at: AT, isMissing: true, fix };
    },
    *checkPod(pod, { sizeLimits }) {
        for (const { name, emptyDir } of sizeLimits ? unbounded(pod) : []) {
            const fix = { volumes: [{ name, emptyDir: { ...emptyDir, sizeLimit: "256Mi" } }] };
            yield { what: endless(name), at: sizeOf(name), isMissing: true, fix };
        }
    },
    remedy(pod, { sizeLimits, remedy }) {
        if (!sizeLimits || remedy === "") return;
        for (const { emptyDir } of unbounded(pod)) {
            // One in memory counts against the containers' memory limits: it must fit into these.
            if (emptyDir && !emptyDir.medium) emptyDir.sizeLimit = remedy;
        }
    },
    admission: ({ limits, sizeLimits }) => [
        { asked: limits, violated: cel`!${LIMIT}.hasValue()`, what: MISSING, at: AT },
        {
            asked: sizeLimits,
            of: "pod",
            each: { volume: UNBOUNDED },
            what: endless(cel`volume.name`),
            at: sizeOf(cel`volume.name`),
        },
    ],
});
