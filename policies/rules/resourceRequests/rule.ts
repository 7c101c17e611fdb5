import { parseQuantity } from "@property-search/contract";
import { Type } from "typebox";
import { cel } from "../../cel/cel.ts";
import { matchesGlob } from "../../cel/glob.ts";
import { containerRule } from "../../engine/rule.ts";
import { Bound, boundCheck, outsideBounds, effectiveRequest } from "./bounds.ts";

const RESOURCES = { cpu: "100m", memory: "128Mi" } as const;

const missingRequest = (resource: string) => `has no ${resource} request`;

export const resourceRequests = containerRule({
    name: "resource-requests",
    title: "Every container requests CPU and memory, within the configured bounds.",
    why: "A pod without requests is scheduled to nodes without capacity for it, and is evicted first.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#requests-and-limits",
    settings: {
        explicit: Type.Boolean({
            default: false,
            description:
                "whether requests are required even if a limit is set, which implies a request",
        }),
        bounds: Type.Array(Bound, { default: [], description: "minimum and maximum requests" }),
    },
    *check({ spec }, { bounds, explicit }) {
        const { requests, limits } = spec.resources ?? {};
        for (const [resource, usual] of Object.entries(RESOURCES)) {
            const path = `resources.requests.${resource}`;
            const fix = (to?: string) => ({ resources: { requests: { [resource]: to } } });
            const request = requests?.[resource] ?? (explicit ? undefined : limits?.[resource]);
            if (request === undefined) {
                yield { message: missingRequest(resource), path, isMissing: true, fix: fix(usual) };
                continue;
            }
            const value = parseQuantity(request) ?? NaN;
            for (const bound of bounds) {
                if (bound.resource !== resource || !matchesGlob(bound.container, spec.name))
                    continue;
                const { min = "0", max = "any" } = bound;
                const message = outsideBounds(request, resource, min, max);
                if (value < (parseQuantity(min) ?? NaN)) yield { message, path, fix: fix(min) };
                if (value > (parseQuantity(max) ?? NaN)) yield { message, path, fix: fix(max) };
            }
        }
    },
    admission: ({ bounds, explicit }) => [
        ...Object.keys(RESOURCES).map((resource) => ({
            violated: cel`!${effectiveRequest(resource, explicit)}.hasValue()`,
            message: missingRequest(resource),
            path: `resources.requests.${resource}`,
        })),
        ...bounds.map((bound) => boundCheck(bound, explicit)),
    ],
});
