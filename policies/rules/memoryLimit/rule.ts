import { parseQuantity } from "@property-search/contract";
import { Type } from "typebox";
import { cel, message, template } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { resourceAmount, toQuantityList, quantityValue } from "../../kubernetes/quantity.ts";

const MISSING = "has no memory limit";
const AT = "resources.limits.memory";
const aboveRatio = template(
    (limit, ratio, request) =>
        message`has a memory limit of ${limit}, more than ${ratio} times its request of ${request}`,
);

export const memoryLimit = containerRule({
    name: "memory-limit",
    title: "Every container has a memory limit, within a maximum ratio to its request.",
    why: "Without a limit, a leak affects other pods on the node. A limit far above the request overcommits the node's memory.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#requests-and-limits",
    settings: {
        ratio: Type.Number({
            default: 2,
            minimum: 1,
            description: "maximum of limit divided by request",
        }),
    },
    *check({ spec }, { ratio }) {
        const { limits, requests } = spec.resources ?? {};
        const { memory: limit } = limits ?? {};
        const { memory: request } = requests ?? {};
        if (limit === undefined) {
            const fix = { resources: { limits: { memory: request ?? "256Mi" } } };
            yield { message: MISSING, path: AT, isMissing: true, fix };
            return;
        }
        const [most, least] = [parseQuantity(limit), parseQuantity(request)];
        // The rule `quantities` reports invalid quantities, `resource-requests` missing requests.
        if (most === undefined || least === undefined || most <= ratio * least) return;
        yield {
            message: aboveRatio(limit, ratio, String(request)),
            path: AT,
            fix: { resources: { requests: { memory: limit }, limits: { memory: limit } } },
        };
    },
    admission: ({ ratio }) => [
        {
            violated: cel`!${resourceAmount("limits", "memory")}.hasValue()`,
            message: MISSING,
            path: AT,
        },
        {
            each: {
                limit: toQuantityList(resourceAmount("limits", "memory")),
                request: toQuantityList(resourceAmount("requests", "memory")),
            },
            violated: cel`${quantityValue(cel`limit`)} > double(${ratio}) * ${quantityValue(cel`request`)}`,
            message: aboveRatio(cel`limit`, ratio, cel`request`),
            path: AT,
        },
    ],
});
