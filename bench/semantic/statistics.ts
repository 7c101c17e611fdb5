/** A mean over seeds and its 95 % interval. */
export interface Estimate {
    readonly mean: number;
    readonly low: number;
    readonly high: number;
}

/** Two-sided 95 % quantiles of Student's t by degrees of freedom; beyond the table, the normal one. */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228].concat([
    2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064,
]);
const NORMAL95 = 1.96;

/** @returns the mean and its t interval; no interval with one value */
export function estimate(values: readonly number[]): Estimate {
    const count = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    if (count < 2) return { mean, low: NaN, high: NaN };
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const half = (T95[count - 2] ?? NORMAL95) * Math.sqrt(squares / (count - 1) / count);
    return { mean, low: mean - half, high: mean + half };
}

/**
 * Interval of Σ numerators / Σ denominators over seeds, by the delta method: runs with more answers count more.
 */
export function estimateRatio(
    numerators: readonly number[],
    denominators: readonly number[],
): Estimate {
    const count = numerators.length;
    const below = denominators.reduce((sum, value) => sum + value, 0);
    const mean = numerators.reduce((sum, value) => sum + value, 0) / below;
    if (below === 0) return { mean: NaN, low: NaN, high: NaN };
    const rest = numerators.map((value, at) => value - mean * (denominators[at] ?? 0));
    const { high } = estimate(rest);
    const half = (high * count) / below;
    return { mean, low: Math.max(0, mean - half), high: mean + half };
}

/** @param share in [0, 1] @returns the quantile of the values (nearest rank) */
export function quantileOf(values: readonly number[], share: number): number {
    const sorted = values.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}
