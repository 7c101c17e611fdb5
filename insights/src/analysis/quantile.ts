/** Observations at most as large as each upper bound, as in Prometheus; the last bound is Infinity. */
export type Buckets = readonly (readonly [upperBound: number, count: number])[];

/**
 * Quantile of a histogram, interpolated in its bucket as `histogram_quantile` does.
 *
 * @returns undefined without observations. Beyond the last finite bound, that bound: the quantile is at least as large
 */
export function quantileOf(buckets: Buckets, fraction: number): number | undefined {
    const sorted = buckets.toSorted(([a], [b]) => a - b);
    const total = sorted.at(-1)?.[1] ?? 0;
    if (total <= 0) return undefined;
    const rank = fraction * total;
    const at = sorted.findIndex(([, count]) => count >= rank);
    const [upper, count] = sorted[at] ?? [Infinity, total];
    const [lower, before] = sorted[at - 1] ?? [0, 0];
    if (upper === Infinity) return lower;
    return lower + ((upper - lower) * (rank - before)) / (count - before);
}
