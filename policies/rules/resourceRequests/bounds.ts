import { parseQuantity } from "@property-search/contract";
import { Type, type Static } from "typebox";
import { cel, matchesAny, said, words, type Cel } from "../../cel/cel.ts";
import type { Admission } from "../../engine/rule.ts";
import { amountOf, quantitiesIn, valueOf } from "../../kubernetes/quantity.ts";

/** Minimum and maximum of a request, by container name. */
export const Bound = Type.Object({
    container: Type.String({ description: "glob of containers' names" }),
    resource: Type.Enum(["cpu", "memory"]),
    min: Type.Optional(Type.String()),
    max: Type.Optional(Type.String()),
});

export const outside = words(
    (request, resource, min, max) =>
        said`requests ${request} of ${resource}; allowed: ${min} to ${max}`,
);

/** CEL for the request of a container `c`, or its limit if that suffices. */
export function requested(resource: string, explicit: boolean): Cel {
    const request = amountOf("requests", resource);
    return explicit ? request : cel`${request}.or(${amountOf("limits", resource)})`;
}

/** The check of a bound in CEL. */
export function bounded(bound: Static<typeof Bound>, explicit: boolean): Admission {
    const { container, resource, min = "0", max = "any" } = bound;
    const value = valueOf(cel`request`);
    const outsideOf = [
        cel`${value} < ${parseQuantity(min) ?? 0}`,
        cel`${value} > ${parseQuantity(max) ?? Number.MAX_VALUE}`,
    ] as const;
    return {
        each: { request: quantitiesIn(requested(resource, explicit)) },
        violated: cel`${matchesAny([container], cel`c.name`)} && (${outsideOf[0]} || ${outsideOf[1]})`,
        what: outside(cel`request`, resource, min, max),
        at: `resources.requests.${resource}`,
    };
}
