const CPU = /^(\d+m|\d+(\.\d{1,3})?)$/;
const BYTES = /^\d+(Ki|Mi|Gi|Ti)$/;
const BYTE_UNITS = ["Ki", "Mi", "Gi", "Ti"];

/** CPUs of a Kubernetes quantity such as `500m`, `0.5` or `2`; undefined when it is written otherwise. */
export function parseCpu(quantity: string): number | undefined {
    if (!CPU.test(quantity)) return undefined;
    return quantity.endsWith("m") ? Number(quantity.slice(0, -1)) / 1000 : Number(quantity);
}

/** Bytes of a Kubernetes quantity such as `512Mi` or `2Gi`; undefined when it is written otherwise. */
export function parseBytes(quantity: string): number | undefined {
    if (!BYTES.test(quantity)) return undefined;
    const power = BYTE_UNITS.indexOf(quantity.slice(-2)) + 1;
    return Number(quantity.slice(0, -2)) * 1024 ** power;
}

/** Writes CPUs as a quantity, to the next thousandth above. */
export function formatCpu(cpus: number): string {
    // Sums of tenths are off in the last bit, and must not reach the next thousandth by that.
    const thousandths = Math.ceil(Number((cpus * 1000).toFixed(6)));
    return thousandths % 1000 === 0 ? `${thousandths / 1000}` : `${thousandths}m`;
}

/** Writes bytes as a quantity, to the next mebibyte above. */
export function formatBytes(bytes: number): string {
    const mebibytes = Math.ceil(bytes / 1024 ** 2);
    return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`;
}
