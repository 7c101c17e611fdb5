import { cel, said, words, type Cel } from "./cel.ts";
import type { Admission } from "./rule.ts";

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

const BYTES = /^(memory|(ephemeral-)?storage|hugepages-.+)$/;
const THOUSANDTHS = "thousandths of a byte";

/** Whether a resource is counted in bytes, of which there are no thousandths. */
export function isBytes(resource: string): boolean {
    return BYTES.test(resource);
}

/** What is wrong with a quantity by itself, after "which is". */
export function faultOf(resource: string, quantity: unknown): string | undefined {
    const value = quantityOf(quantity);
    if (value === undefined) return `no quantity; allowed is a number, and one of ${SUFFIXES}`;
    if (value < 0) return "less than nothing";
    return isBytes(resource) && String(quantity).endsWith("m") ? THOUSANDTHS : undefined;
}

const SUFFIXES = "m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei";

/** In CEL what a container `c` has of a resource, where it has any. */
export function amountOf(field: "requests" | "limits", resource: string): Cel {
    return cel`c.?resources[?${field}][?${resource}]`;
}

/** In CEL the value of what is one; the API server stores no other. */
export function valueOf(quantity: Cel): Cel {
    return cel`quantity(string(${quantity})).asApproximateFloat()`;
}

/** Of a quantity in a field of a resource, or of a volume. */
export const wrong = words(
    (quantity, of, fault) => said`has "${quantity}" for ${of}, which is ${fault}`,
);

const [kind, resource, volume] = [cel`kind`, cel`resource`, cel`volume.name`];
/** What the API server says of quantities beyond what it refuses anyway. */
export const fractions: readonly Admission[] = [
    {
        each: {
            kind: cel`['request', 'limit']`,
            resource: cel`c.?resources[?(kind + 's')].orValue({}).filter(r, r.matches(${BYTES}))`,
            quantity: cel`[string(c.resources[kind + 's'][resource])]`,
        },
        violated: cel`quantity.endsWith('m')`,
        what: wrong(cel`quantity`, said`its ${resource} ${kind}`, THOUSANDTHS),
        at: said`resources.${kind}s.${resource}`,
    },
    {
        of: "pod",
        each: {
            volume: cel`variables.pod.?volumes.orValue([])`,
            quantity: cel`[?volume.?emptyDir.?sizeLimit].map(q, string(q))`,
        },
        violated: cel`quantity.endsWith('m')`,
        what: wrong(cel`quantity`, said`the size of emptyDir ${volume}`, THOUSANDTHS),
        at: said`volumes[${volume}].emptyDir.sizeLimit`,
    },
];
