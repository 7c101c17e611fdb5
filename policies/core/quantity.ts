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

/** Whether a resource is counted in bytes, of which there are no thousandths. */
export function isBytes(resource: string): boolean {
    return /^(memory|(ephemeral-)?storage|hugepages-.+)$/.test(resource);
}

/** What is wrong with a quantity by itself, after "which is". */
export function faultOf(resource: string, quantity: unknown): string | undefined {
    const value = quantityOf(quantity);
    if (value === undefined) return `no quantity; allowed is a number, and one of ${SUFFIXES}`;
    if (value < 0) return "less than nothing";
    return isBytes(resource) && String(quantity).endsWith("m")
        ? "thousandths of a byte"
        : undefined;
}

const SUFFIXES = "m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei";
