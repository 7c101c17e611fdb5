import { parseQuantity } from "@property-search/contract";
import { containerRule } from "../../engine/rule.ts";
import { above, faultOf, isBytes, quantityFaults, wrong } from "./wrongQuantities.ts";

const usual = (resource: string) => {
    if (isBytes(resource)) return "512Mi";
    return resource === "cpu" ? "500m" : "1";
};

export const quantities = containerRule({
    name: "quantities",
    title: "Every quantity can be read, means what it seems to, and no request is above its limit.",
    why: "The API server refuses some of these in the middle of a deployment; 400m of memory it takes, and the container never starts.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/",
    *check({ spec }) {
        const { requests = {}, limits = {} } = spec.resources ?? {};
        for (const [field, all] of Object.entries({ requests, limits })) {
            for (const [resource, quantity] of Object.entries(all)) {
                const fault = faultOf(resource, quantity);
                if (fault === undefined) continue;
                yield {
                    what: wrong(quantity, `its ${resource} ${field.slice(0, -1)}`, fault),
                    at: `resources.${field}.${resource}`,
                    fix: { resources: { [field]: { [resource]: usual(resource) } } },
                };
            }
        }
        for (const [resource, request] of Object.entries(requests)) {
            const limit = limits[resource];
            if (faultOf(resource, request) ?? faultOf(resource, limit)) continue;
            if ((parseQuantity(request) ?? NaN) <= (parseQuantity(limit) ?? NaN)) continue;
            const what = above(request, resource, String(limit));
            const fix = { resources: { limits: { [resource]: request } } };
            yield { what, at: `resources.requests.${resource}`, fix };
        }
    },
    *checkPod({ spec }) {
        for (const volume of spec.volumes ?? []) {
            const { emptyDir } = volume;
            const fault = faultOf("storage", emptyDir?.sizeLimit ?? 0);
            if (fault === undefined) continue;
            const { name } = volume;
            const fix = { volumes: [{ name, emptyDir: { ...emptyDir, sizeLimit: "512Mi" } }] };
            const what = wrong(String(emptyDir?.sizeLimit), `the size of emptyDir ${name}`, fault);
            yield { what, at: `volumes[${name}].emptyDir.sizeLimit`, fix };
        }
    },
    admission: () => quantityFaults,
});
