/** A similarity, and whether the answer was right. */
export interface Observation {
    readonly similarity: number;
    readonly isRight: boolean;
}

const STEPS = 30;
const MIN_SCALE = 1e-3;
const TOLERANCE = 1e-9;
const MIN_SLOPE = 1e-6;
/** Of the slope: separable observations would have no maximum. It hardly changes a curve of others. */
const PENALTY = 1e-3;
const RIDGE = 1e-9;
const GRID = Array.from({ length: 50 }, (_, at) => (at + 0.5) / 50);

/**
 * Probability with which a cache must explore so that at most the share δ of its requests is answered wrongly:
 * equations 8 to 11 of vCache (Schroeder et al., arXiv 2502.03771), implemented from the paper. A logistic curve
 * Pr(right | s) = σ(γ(s − t)) is fitted; t is replaced by its upper confidence limit, for the best of a grid of
 * confidences.
 */
export function explorationProbability(
    observations: readonly Observation[],
    similarity: number,
    budget: number,
): number {
    const { intercept, slope, varianceOfThreshold } = fitCurve(observations);
    const threshold = Math.min(1, Math.max(0, -intercept / slope));
    let least = 1;
    for (const epsilon of GRID) {
        const limit = threshold + quantile(1 - epsilon) * Math.sqrt(varianceOfThreshold);
        const right =
            (1 - epsilon) * logistic(slope * (similarity - Math.min(1, Math.max(0, limit))));
        least = Math.min(least, 1 - budget / Math.max(1 - right, Number.EPSILON));
    }
    return Math.max(0, least);
}

/**
 * Logistic regression by Newton's method with halved steps, without which it diverges where right and wrong
 * answers overlap; the variance of −intercept / slope by the delta method.
 */
export function fitCurve(observations: readonly Observation[]) {
    let [intercept, slope] = [-5, 10];
    let value = logLikelihood(observations, intercept, slope);
    let { h0, h01, h1, g0, g1 } = derive(observations, intercept, slope);
    for (let step = 0; step < STEPS; step += 1) {
        const determinant = h0 * h1 - h01 * h01;
        const [up, steeper] = [
            (h1 * g0 - h01 * g1) / determinant,
            (h0 * g1 - h01 * g0) / determinant,
        ];
        let scale = 1;
        let next = logLikelihood(observations, intercept + up, slope + steeper);
        while (next < value && scale > MIN_SCALE) {
            scale /= 2;
            next = logLikelihood(observations, intercept + scale * up, slope + scale * steeper);
        }
        if (!(next > value + TOLERANCE)) break;
        [intercept, slope, value] = [intercept + scale * up, slope + scale * steeper, next];
        ({ h0, h01, h1, g0, g1 } = derive(observations, intercept, slope));
    }
    slope = Math.max(slope, MIN_SLOPE);
    const determinant = h0 * h1 - h01 * h01;
    const [v0, v01, v1] = [h1 / determinant, -h01 / determinant, h0 / determinant];
    const [d0, d1] = [-1 / slope, intercept / slope ** 2];
    const variance = d0 * d0 * v0 + 2 * d0 * d1 * v01 + d1 * d1 * v1;
    return { intercept, slope, varianceOfThreshold: Math.max(0, variance) };
}

function logLikelihood(
    observations: readonly Observation[],
    intercept: number,
    slope: number,
): number {
    let sum = (-PENALTY / 2) * slope * slope;
    for (const { similarity, isRight } of observations) {
        const value = (isRight ? 1 : -1) * (intercept + slope * similarity);
        // log σ(value), without overflow.
        sum += Math.min(0, value) - Math.log1p(Math.exp(-Math.abs(value)));
    }
    return sum;
}

/** Gradient of the logarithmic likelihood, and its negative second derivatives. */
function derive(observations: readonly Observation[], intercept: number, slope: number) {
    let [g0, g1, h0, h01, h1] = [0, -PENALTY * slope, RIDGE, 0, PENALTY];
    for (const { similarity, isRight } of observations) {
        const p = logistic(intercept + slope * similarity);
        const gradient = (isRight ? 1 : 0) - p;
        const curvature = p * (1 - p);
        g0 += gradient;
        g1 += gradient * similarity;
        h0 += curvature;
        h01 += curvature * similarity;
        h1 += curvature * similarity * similarity;
    }
    return { g0, g1, h0, h01, h1 };
}

function logistic(value: number): number {
    return 1 / (1 + Math.exp(-value));
}

/** Quantile of the normal distribution (Acklam's approximation, relative error below 1.2e-9 in the middle). */
export function quantile(p: number): number {
    if (p > 0.5) return -quantile(1 - p);
    if (p > 0.02425) {
        const q = p - 0.5;
        const r = q * q;
        const top =
            ((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r +
                138.357751867269) *
                r -
                30.66479806614716) *
                r +
            2.506628277459239;
        const bottom =
            ((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r +
                66.80131188771972) *
                r -
                13.28068155288572) *
                r +
            1;
        return (top * q) / bottom;
    }
    const q = Math.sqrt(-2 * Math.log(p));
    const top =
        ((((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q -
            2.549732539343734) *
            q +
            4.374664141464968) *
            q +
        2.938163982698783;
    const bottom =
        (((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q +
            3.754408661907416) *
            q +
        1;
    return top / bottom;
}
