import { parseQuantity } from "@property-search/contract";
import { containerRule } from "../../engine/rule.ts";
import {
    aboveLimit,
    findProblem,
    isBytes,
    quantityChecks,
    invalidQuantity,
} from "./invalidQuantities.ts";

const usualQuantity = (resource: string) => {
    if (isBytes(resource)) return "512Mi";
    return resource === "cpu" ? "500m" : "1";
};

export const quantities = containerRule({
    name: "quantities",
    title: "Every quantity is valid and plausible, and no request exceeds its limit.",
    why: "The API server rejects invalid quantities in the middle of a deployment. It accepts 400m of memory, but the container never starts.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/",
    *check({ spec }) {
        const { requests = {}, limits = {} } = spec.resources ?? {};
        for (const [field, all] of Object.entries({ requests, limits })) {
            for (const [resource, quantity] of Object.entries(all)) {
                const problem = findProblem(resource, quantity);
                if (problem === undefined) continue;
                yield {
                    message: invalidQuantity(
                        quantity,
                        `its ${resource} ${field.slice(0, -1)}`,
                        problem,
                    ),
                    path: `resources.${field}.${resource}`,
                    fix: { resources: { [field]: { [resource]: usualQuantity(resource) } } },
                };
            }
        }
        for (const [resource, request] of Object.entries(requests)) {
            const limit = limits[resource];
            if (findProblem(resource, request) ?? findProblem(resource, limit)) continue;
            if ((parseQuantity(request) ?? NaN) <= (parseQuantity(limit) ?? NaN)) continue;
            const message = aboveLimit(request, resource, String(limit));
            const fix = { resources: { limits: { [resource]: request } } };
            yield { message, path: `resources.requests.${resource}`, fix };
        }
    },
    *checkPod({ spec }) {
        for (const volume of spec.volumes ?? []) {
            const { emptyDir } = volume;
            const problem = findProblem("storage", emptyDir?.sizeLimit ?? 0);
            if (problem === undefined) continue;
            const { name } = volume;
            const fix = { volumes: [{ name, emptyDir: { ...emptyDir, sizeLimit: "512Mi" } }] };
            const message = invalidQuantity(
                String(emptyDir?.sizeLimit),
                `the size of emptyDir ${name}`,
                problem,
            );
            yield { message, path: `volumes[${name}].emptyDir.sizeLimit`, fix };
        }
    },
    admission: () => quantityChecks,
});
