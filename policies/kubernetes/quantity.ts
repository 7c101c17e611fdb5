import { cel, type Cel } from "../cel/cel.ts";

/** CEL for an optional resource quantity of a container `c`. */
export function resourceAmount(field: "requests" | "limits", resource: string): Cel {
    return cel`c.?resources[?${field}][?${resource}]`;
}

/** CEL for a list with the quantity as a string; empty if it is absent or invalid. */
export function toQuantityList(amount: Cel): Cel {
    return cel`[?${amount}].map(q, string(q)).filter(q, isQuantity(q))`;
}

/** CEL for the value of a quantity; an error for any other string. */
export function quantityValue(quantity: Cel): Cel {
    return cel`quantity(${quantity}).asApproximateFloat()`;
}
