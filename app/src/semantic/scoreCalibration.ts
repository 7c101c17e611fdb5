/** Labels of the answers in a range of scores. */
export interface RangeLabels {
    readonly labelled: number;
    readonly wrong: number;
}

/** A curve of the error by score, for each range. */
interface Curve {
    readonly logPrior: number;
    readonly errors: readonly number[];
}

export interface WeightedCurve {
    /** Posterior probability. */
    readonly weight: number;
    /** Share of wrong answers of each range, in (0, 1). */
    readonly errors: readonly number[];
}

/** Deviations by which the gate is too careful, and factors by which its deviations are too large. */
const SHIFTS = [-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6];
const SLOPES = [0.7, 0.85, 1, 1.15, 1.3];
/** Of the prior distribution around a shift of 0 and a slope of 1. */
const SHIFT_DEVIATION = 0.3;
const SLOPE_DEVIATION = 0.2;
/** Errors that no score excludes: the tails of real losses are longer than those of a normal distribution. */
const LEAST_ERROR = 0.002;

/**
 * The score is a number of standard deviations. If the gate is right and losses are normal, the error is Φ(−score).
 * The gate is taught by answers that are not served, which are worse than the others, so it is too careful. Labels of
 * all scores together tell by how much: the error is Φ(−shift − slope · score), averaged over the posterior
 * distribution of shift and slope (probit regression on a grid).
 *
 * @param scores middles of the ranges
 * @returns the curves, weighed by the labels of the ranges
 */
export function createCalibration(
    scores: readonly number[],
): (labels: readonly RangeLabels[]) => readonly WeightedCurve[] {
    const curves = SHIFTS.flatMap((shift) =>
        SLOPES.map((slope): Curve => {
            const logPrior =
                -((shift / SHIFT_DEVIATION) ** 2 + ((slope - 1) / SLOPE_DEVIATION) ** 2) / 2;
            const errors = scores.map(
                (score) => LEAST_ERROR + (1 - LEAST_ERROR) * upperTail(shift + slope * score),
            );
            return { logPrior, errors };
        }),
    );
    return (labels) => {
        const logs = curves.map(({ logPrior, errors }) =>
            labels.reduce((sum, { labelled, wrong }, at) => {
                const error = errors[at] ?? 1;
                return sum + wrong * Math.log(error) + (labelled - wrong) * Math.log1p(-error);
            }, logPrior),
        );
        const most = Math.max(...logs);
        const weights = logs.map((log) => Math.exp(log - most));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        return curves.map(({ errors }, at) => ({ weight: (weights[at] ?? 0) / total, errors }));
    };
}

/** @returns probability that a standard normal number exceeds a value (Abramowitz and Stegun, 26.2.17, within 8e-8) */
export function upperTail(value: number): number {
    const t = 1 / (1 + 0.2316419 * Math.abs(value));
    const series =
        t *
        (0.31938153 +
            t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    const tail = (Math.exp((-value * value) / 2) / Math.sqrt(2 * Math.PI)) * series;
    return value >= 0 ? tail : 1 - tail;
}
