import { Type } from "typebox";
import { quantityOf } from "../core/quantity.ts";
import { containerRule } from "../core/rule.ts";

const MISSING = "has no memory limit";

export const memoryLimit = containerRule({
    name: "memory-limit",
    title: "Every container has a memory limit, of at most so many times its request.",
    why: "A leak without a limit takes its neighbours with it; a limit far above the request promises memory that the node does not have.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#requests-and-limits",
    settings: {
        ratio: Type.Number({ default: 2, minimum: 1, description: "most of limit by request" }),
    },
    *check({ spec }, { ratio }) {
        const { limits, requests } = spec.resources ?? {};
        const { memory: limit } = limits ?? {};
        const { memory: request } = requests ?? {};
        if (limit === undefined) {
            const fix = { resources: { limits: { memory: request ?? "256Mi" } } };
            yield { what: MISSING, at: "resources.limits.memory", isMissing: true, fix };
            return;
        }
        const [most, least] = [quantityOf(limit), quantityOf(request)];
        // What cannot be read is for the rule `quantities`; what is not requested, for `resource-requests`.
        if (most === undefined || least === undefined || most <= ratio * least) return;
        yield {
            what: `has a memory limit of ${limit}, more than ${ratio} times its request of ${request}`,
            at: "resources.limits.memory",
            fix: { resources: { requests: { memory: limit }, limits: { memory: limit } } },
        };
    },
    admission: {
        violated:
            "!has(c.resources) || !has(c.resources.limits) || !('memory' in c.resources.limits)",
        what: MISSING,
        at: "resources.limits.memory",
    },
});
