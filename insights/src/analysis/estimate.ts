/** An estimate from a sample, with its interval at a confidence of 0.95. */
export interface Estimate {
    readonly value: number;
    readonly low: number;
    readonly high: number;
}

/** 0.975 quantile of Student's t by degrees of freedom, from 1 on. */
const T_QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/**
 * Estimates a statistic of counts that exist per group of sampled keys, by the delete-a-group jackknife (Kott, "The
 * Delete-a-Group Jackknife", 2001). Groups of keys are independent, whereas requests for one key are not: an interval from
 * the number of requests would be too narrow.
 *
 * @param groups counts by group, in the same order
 * @param statistic of the sums of some groups; it must not depend on how many there are
 * @returns undefined if the statistic is not defined for the sample without one of its groups
 */
export function estimateByGroups(
    groups: readonly (readonly number[])[],
    statistic: (sums: readonly number[]) => number,
): Estimate | undefined {
    const count = groups.length;
    const quantile = T_QUANTILES[count - 2];
    const [first] = groups;
    if (quantile === undefined || first === undefined) return undefined;
    const total = first.map((_, place) => groups.reduce((all, one) => all + (one[place] ?? 0), 0));
    const value = statistic(total);
    const without = groups.map((group) =>
        statistic(total.map((sum, place) => sum - (group[place] ?? 0))),
    );
    if (![value, ...without].every(Number.isFinite)) return undefined;
    const mean = without.reduce((all, one) => all + one, 0) / count;
    const variance =
        without.reduce((all, one) => all + (one - mean) ** 2, 0) * ((count - 1) / count);
    const width = quantile * Math.sqrt(variance);
    return { value, low: value - width, high: value + width };
}

/** Events that a sample may miss with a probability of 0.05 ("rule of three"). */
const MISSED_EVENTS = 3;

/**
 * A share, 0–1. A sample without an event does not show that there are none, so the interval is never narrower than the
 * events that a sample of this size may miss.
 */
export function toShare(estimate: Estimate, sampled: number): Estimate {
    const least = MISSED_EVENTS / Math.max(MISSED_EVENTS, sampled);
    const limit = (share: number) => Math.min(1, Math.max(0, share));
    const { value, low, high } = estimate;
    return {
        value: limit(value),
        low: limit(Math.min(low, value - least)),
        high: limit(Math.max(high, value + least)),
    };
}

/**
 * Interpolates on a logarithmic axis.
 *
 * @param points ascending
 * @returns undefined outside of the points
 */
export function interpolate(
    points: readonly (readonly [x: number, y: number])[],
    x: number,
): number | undefined {
    const at = points.findIndex(([upper]) => upper >= x);
    const [upper, above] = points[at] ?? [NaN, NaN];
    if (upper === x) return above;
    const [lower, below] = points[at - 1] ?? [NaN, NaN];
    const share = Math.log(x / lower) / Math.log(upper / lower);
    const y = below + (above - below) * share;
    return Number.isNaN(y) ? undefined : y;
}
