import { Type } from "typebox";
import { cel, message, template } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { resourceAmount } from "../../kubernetes/quantity.ts";
import { UNBOUNDED_VOLUMES, listUnboundedVolumes } from "./volumes.ts";

const MISSING = "has no ephemeral-storage limit";
const AT = "resources.limits.ephemeral-storage";
const LIMIT = resourceAmount("limits", "ephemeral-storage");
const withoutSizeLimit = template((name) => message`has the emptyDir ${name} without a sizeLimit`);
const sizeLimitPath = template((name) => message`volumes[${name}].emptyDir.sizeLimit`);

export const ephemeralStorage = containerRule({
    name: "ephemeral-storage",
    title: "Containers have an ephemeral-storage limit, and every emptyDir has a size limit.",
    why: "A growing log or temporary folder fills the node's disk, and the node then evicts other pods.",
    severity: "medium",
    // Most charts rely on a LimitRange of the namespace.
    level: "advisory",
    url: "https://kubernetes.io/docs/concepts/storage/ephemeral-storage/",
    settings: {
        limits: Type.Boolean({ default: true, description: "whether containers need a limit" }),
        sizeLimits: Type.Boolean({
            default: true,
            description: "whether each emptyDir needs a sizeLimit",
        }),
        defaultSizeLimit: Type.String({
            default: "",
            description:
                "sizeLimit that remediation sets; empty: none, since only the owner knows it",
        }),
    },
    *check({ spec }, { limits }) {
        if (!limits || spec.resources?.limits?.["ephemeral-storage"] !== undefined) return;
        const fix = { resources: { limits: { "ephemeral-storage": "512Mi" } } };
        yield { message: MISSING, path: AT, isMissing: true, fix };
    },
    *checkPod(pod, { sizeLimits }) {
        for (const { name, emptyDir } of sizeLimits ? listUnboundedVolumes(pod) : []) {
            const fix = { volumes: [{ name, emptyDir: { ...emptyDir, sizeLimit: "256Mi" } }] };
            yield {
                message: withoutSizeLimit(name),
                path: sizeLimitPath(name),
                isMissing: true,
                fix,
            };
        }
    },
    remediate(pod, { sizeLimits, defaultSizeLimit }) {
        if (!sizeLimits || defaultSizeLimit === "") return;
        for (const { emptyDir } of listUnboundedVolumes(pod)) {
            // A volume in memory counts against the containers' memory limits and must fit into them.
            if (emptyDir && !emptyDir.medium) emptyDir.sizeLimit = defaultSizeLimit;
        }
    },
    admission: ({ limits, sizeLimits }) => [
        { enabled: limits, violated: cel`!${LIMIT}.hasValue()`, message: MISSING, path: AT },
        {
            enabled: sizeLimits,
            target: "pod",
            each: { volume: UNBOUNDED_VOLUMES },
            message: withoutSizeLimit(cel`volume.name`),
            path: sizeLimitPath(cel`volume.name`),
        },
    ],
});
