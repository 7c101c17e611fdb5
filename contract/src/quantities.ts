/** A number with a decimal suffix, a binary suffix or an exponent (k8s.io/apimachinery/pkg/api/resource). */
const QUANTITY =
    /^(?<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?<decimal>[numkMGTPE])|(?<binary>[KMGTPE])i|(?<exponent>[eE][+-]?\d+))?$/;
const EXPONENTS: Readonly<Record<string, number>> = {
    ...{ n: -9, u: -6, m: -3 },
    ...{ k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 },
};
const BINARY = "KMGTPE";
const CPU = /^(\d+m|\d+(\.\d{1,3})?)$/;
const BYTES = /^\d+(Ki|Mi|Gi|Ti)$/;

/**
 * Parses any Kubernetes quantity, such as `500m`, `1.5`, `2Gi`, `1e3` or a number. Equal quantities have equal
 * values. @returns undefined if `quantity` is not a quantity
 */
export function parseQuantity(quantity: unknown): number | undefined {
    if (typeof quantity === "number") return Number.isFinite(quantity) ? quantity : undefined;
    const groups = typeof quantity === "string" ? QUANTITY.exec(quantity)?.groups : undefined;
    if (!groups) return undefined;
    const { number = "", decimal, binary, exponent = "" } = groups;
    if (binary !== undefined) return Number(number) * 1024 ** (BINARY.indexOf(binary) + 1);
    // As text, since 700 * 0.001 is not 0.7.
    return Number(`${number}${decimal === undefined ? exponent : `e${EXPONENTS[decimal] ?? 0}`}`);
}

/** Parses CPUs in the form of the stack's config: `500m`, `0.5` or `2`. @returns undefined for other forms */
export function parseCpu(quantity: string): number | undefined {
    return CPU.test(quantity) ? parseQuantity(quantity) : undefined;
}

/** Parses bytes in the form of the stack's config: `512Mi` or `2Gi`. @returns undefined for other forms */
export function parseBytes(quantity: string): number | undefined {
    return BYTES.test(quantity) ? parseQuantity(quantity) : undefined;
}

/** Formats CPUs as a quantity, rounded up to a millicpu. */
export function formatCpu(cpus: number): string {
    // Rounding errors in sums of tenths must not round up to the next millicpu.
    const thousandths = Math.ceil(Number((cpus * 1000).toFixed(6)));
    return thousandths % 1000 === 0 ? `${thousandths / 1000}` : `${thousandths}m`;
}

/** Formats bytes as a quantity, rounded up to a mebibyte. */
export function formatBytes(bytes: number): string {
    const mebibytes = Math.ceil(bytes / 1024 ** 2);
    return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`;
}
