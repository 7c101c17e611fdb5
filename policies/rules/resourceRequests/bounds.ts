import { parseQuantity } from "@property-search/contract";
import { Type, type Static } from "typebox";
import { cel, matchesAny, message, template, type Cel } from "../../cel/cel.ts";
import type { AdmissionCheck } from "../../engine/rule.ts";
import { resourceAmount, toQuantityList, quantityValue } from "../../kubernetes/quantity.ts";

/** Minimum and maximum of a request, by container name. */
export const Bound = Type.Object({
    container: Type.String({ description: "glob of containers' names" }),
    resource: Type.Enum(["cpu", "memory"]),
    min: Type.Optional(Type.String()),
    max: Type.Optional(Type.String()),
});

export const outsideBounds = template(
    (request, resource, min, max) =>
        message`requests ${request} of ${resource}; allowed: ${min} to ${max}`,
);

/** CEL for the request of a container `c`, or its limit if that suffices. */
export function effectiveRequest(resource: string, explicit: boolean): Cel {
    const request = resourceAmount("requests", resource);
    return explicit ? request : cel`${request}.or(${resourceAmount("limits", resource)})`;
}

/** The check of a bound in CEL. */
export function boundCheck(bound: Static<typeof Bound>, explicit: boolean): AdmissionCheck {
    const { container, resource, min = "0", max = "any" } = bound;
    const value = quantityValue(cel`request`);
    const outsideOf = [
        cel`${value} < ${parseQuantity(min) ?? 0}`,
        cel`${value} > ${parseQuantity(max) ?? Number.MAX_VALUE}`,
    ] as const;
    return {
        each: { request: toQuantityList(effectiveRequest(resource, explicit)) },
        violated: cel`${matchesAny([container], cel`c.name`)} && (${outsideOf[0]} || ${outsideOf[1]})`,
        message: outsideBounds(cel`request`, resource, min, max),
        path: `resources.requests.${resource}`,
    };
}
