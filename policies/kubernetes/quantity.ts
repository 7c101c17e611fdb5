import { cel, type Cel } from "../cel/cel.ts";

/** In CEL what a container `c` has of a resource, where it has any. */
export function amountOf(field: "requests" | "limits", resource: string): Cel {
    return cel`c.?resources[?${field}][?${resource}]`;
}

/** In CEL a list of it, as a text; empty also where it is no quantity. */
export function quantitiesIn(amount: Cel): Cel {
    return cel`[?${amount}].map(q, string(q)).filter(q, isQuantity(q))`;
}

/** In CEL the value of a quantity; of any other text it is an error. */
export function valueOf(quantity: Cel): Cel {
    return cel`quantity(${quantity}).asApproximateFloat()`;
}
