import { Type } from "typebox";
import { cel, message, template } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { resourceAmount } from "../../kubernetes/quantity.ts";

const AT = "resources.limits.cpu";
const MISSING = "has no CPU limit";
const forbiddenLimit = template((limit) => message`has a CPU limit of ${limit}; allowed: none`);

export const cpuLimit = containerRule({
    name: "cpu-limit",
    title: "Either all containers have a CPU limit or none has one, as configured.",
    why: "A limit makes latency independent of the load on the node, but throttles containers while the node has idle CPU. A mixture has both disadvantages.",
    severity: "low",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-limits-are-run",
    settings: {
        mode: Type.Enum(["require", "forbid", "ignore"], {
            default: "ignore",
            description: "whether a CPU limit is required, forbidden, or optional",
        }),
    },
    *check({ spec }, { mode }) {
        if (mode === "ignore") return;
        const { requests, limits } = spec.resources ?? {};
        const limit = limits?.cpu;
        if (mode === "require" && limit === undefined) {
            const fix = { resources: { limits: { cpu: requests?.cpu ?? "1" } } };
            yield { message: MISSING, path: AT, isMissing: true, fix };
        }
        if (mode === "forbid" && limit !== undefined) {
            const fix = { resources: { requests: { cpu: requests?.cpu ?? limit } } };
            yield { message: forbiddenLimit(limit), path: AT, fix };
        }
    },
    admission: ({ mode }) => {
        const limit = resourceAmount("limits", "cpu");
        const all = {
            require: [{ violated: cel`!${limit}.hasValue()`, message: MISSING, path: AT }],
            forbid: [
                {
                    each: { limit: cel`[?${limit}]` },
                    message: forbiddenLimit(cel`limit`),
                    path: AT,
                },
            ],
            ignore: [],
        };
        return all[mode];
    },
});
