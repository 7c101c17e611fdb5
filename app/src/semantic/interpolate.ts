import {
    addScaled,
    dot,
    dotDouble,
    factorise,
    norm,
    normalise,
    solveFactorised,
} from "./linear.ts";
import type { RidgeMap } from "./ridgeMap.ts";

/** A cached text that is close to the requested one. */
export interface Neighbour {
    readonly signature: Float32Array;
    /** The upstream's own vector, of length 1. */
    readonly vector: Float32Array;
    /** log(1 − r) of this text when its vector arrived: how well its neighbourhood predict. */
    readonly ownLoss: number;
    /** Cosine of the signatures. */
    readonly similarity: number;
}

/** A vector made from neighbours, and what its quality may depend on. */
export interface Interpolation {
    /** Of length 1. */
    readonly vector: Float32Array<ArrayBuffer>;
    /** Variance of the prediction as a share of the variance without neighbours, in [0, 1]. */
    readonly variance: number;
    /** Length before it was scaled: short if neighbours contradict each other. */
    readonly length: number;
    /** Cosine to what the map alone predicts; 0 without a map. */
    readonly mapAgreement: number;
    readonly weights: Float64Array;
}

/** Distance 1 − cos at which the correlation of two residuals is 1/e. */
const KERNEL_SCALE = 0.5;
/** Share of a residual's variance that its neighbours do not explain. */
const NOISE = 0.05;

/**
 * Predicts the upstream's vector by simple kriging of the map's residuals:
 * Ê(x) = A·l(x) + Σ wᵢ · (E(yᵢ) − A·l(yᵢ)), with w = (K + νI)⁻¹k (Rasmussen and Williams, Gaussian Processes for
 * Machine Learning, 2006, section 2.7). Since A is affine, one product suffices: that of l(x) − Σ wᵢ·l(yᵢ), with
 * 1 − Σ wᵢ times the intercept. While the map is cold, the nearest neighbour's vector is copied.
 *
 * @param neighbours at least one, nearest first
 */
export function interpolate(
    signature: Float32Array,
    neighbours: readonly Neighbour[],
    map: RidgeMap,
): Interpolation | undefined {
    const [nearest] = neighbours;
    if (!nearest) return undefined;
    const { weights, variance } = krigingWeights(neighbours);
    const predicted = map.apply(signature);
    if (!predicted) {
        const vector = new Float32Array(nearest.vector);
        return { vector, variance, length: 1, mapAgreement: 0, weights };
    }
    const difference = Float64Array.from(signature);
    neighbours.forEach((neighbour, at) => {
        addScaled(difference, neighbour.signature, -(weights[at] ?? 0));
    });
    const constant = weights.reduce((rest, weight) => rest - weight, 1);
    const sum = map.apply(difference, constant) ?? predicted;
    neighbours.forEach((neighbour, at) => {
        addScaled(sum, neighbour.vector, weights[at] ?? 0);
    });
    const vector = normalise(sum);
    if (!vector) return undefined;
    const mapAgreement = dot(vector, normalise(predicted) ?? vector);
    return { vector, variance, length: norm(sum), mapAgreement, weights };
}

function krigingWeights(neighbours: readonly Neighbour[]): {
    readonly weights: Float64Array;
    readonly variance: number;
} {
    const size = neighbours.length;
    const factor = new Float64Array(size * size);
    const covariances = Float64Array.from(neighbours, ({ similarity }) => kernel(similarity));
    neighbours.forEach((a, row) => {
        for (let column = 0; column < row; column += 1) {
            const b = neighbours[column];
            if (b) factor[row * size + column] = kernel(dot(a.signature, b.signature));
        }
        factor[row * size + row] = 1 + NOISE;
    });
    factorise(factor, size);
    const weights = covariances.slice();
    solveFactorised(factor, size, weights);
    const variance = Math.min(1, Math.max(0, 1 - dotDouble(weights, covariances)));
    return { weights, variance };
}

function kernel(cosine: number): number {
    return Math.exp(-(1 - cosine) / KERNEL_SCALE);
}
