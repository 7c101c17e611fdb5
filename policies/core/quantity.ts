import { cel, type Cel } from "./cel.ts";

/** Digits, and a suffix of thousands, of 1024s, or an exponent (k8s.io/apimachinery/pkg/api/resource). */
const QUANTITY = /^[+-]?(?<digits>\d+\.?\d*|\.\d+)(?<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;

const POWERS: Readonly<Record<string, number>> = {
    n: 1e-9,
    u: 1e-6,
    m: 1e-3,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    P: 1e15,
    E: 1e18,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
    Pi: 2 ** 50,
    Ei: 2 ** 60,
};

/**
 * The value of a Kubernetes quantity, as any manifest may write it: `500m`, `1.5`, `2Gi`, `1e3`, or a
 * number. @returns undefined for what is none
 */
export function quantityOf(quantity: unknown): number | undefined {
    if (typeof quantity === "number") return Number.isFinite(quantity) ? quantity : undefined;
    if (typeof quantity !== "string") return undefined;
    const { digits, suffix = "" } = QUANTITY.exec(quantity)?.groups ?? {};
    if (digits === undefined) return undefined;
    const sign = quantity.startsWith("-") ? -1 : 1;
    const power = /^[eE]./.test(suffix) ? Number(`1${suffix}`) : (POWERS[suffix] ?? 1);
    return sign * Number(digits) * power;
}

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
