import { parseQuantity } from "@property-search/contract";
import { Type } from "typebox";
import { cel, said, words } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { amountOf, quantitiesIn, valueOf } from "../../kubernetes/quantity.ts";

const MISSING = "has no memory limit";
const AT = "resources.limits.memory";
const above = words(
    (limit, ratio, request) =>
        said`has a memory limit of ${limit}, more than ${ratio} times its request of ${request}`,
);

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
            yield { what: MISSING, at: AT, isMissing: true, fix };
            return;
        }
        const [most, least] = [parseQuantity(limit), parseQuantity(request)];
        // What cannot be read is for the rule `quantities`; what is not requested, for `resource-requests`.
        if (most === undefined || least === undefined || most <= ratio * least) return;
        yield {
            what: above(limit, ratio, String(request)),
            at: AT,
            fix: { resources: { requests: { memory: limit }, limits: { memory: limit } } },
        };
    },
    admission: ({ ratio }) => [
        { violated: cel`!${amountOf("limits", "memory")}.hasValue()`, what: MISSING, at: AT },
        {
            each: {
                limit: quantitiesIn(amountOf("limits", "memory")),
                request: quantitiesIn(amountOf("requests", "memory")),
            },
            violated: cel`${valueOf(cel`limit`)} > double(${ratio}) * ${valueOf(cel`request`)}`,
            what: above(cel`limit`, ratio, cel`request`),
            at: AT,
        },
    ],
});
