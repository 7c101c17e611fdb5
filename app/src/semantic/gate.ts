import { dotDouble, factorise, solveFactorised, solveLower } from "./linear.ts";

/** Predicts the loss log(1 − r) of an answer, r = cos(answer, true vector). */
export interface Gate {
    /** @returns the expected loss and its standard deviation; undefined before the first fit */
    readonly predict: (features: Float64Array) => Prediction | undefined;
    /** Adds the loss of an answer whose true vector has arrived. */
    readonly learn: (features: Float64Array, loss: number) => void;
    readonly labels: () => number;
    readonly save: () => SavedGate;
    /** Replaces all that was learned. */
    readonly restore: (saved: SavedGate) => void;
}

/** The sums over all labels. */
export interface SavedGate {
    readonly gram: readonly number[];
    readonly moments: readonly number[];
    readonly squares: number;
    readonly weightSum: number;
    readonly labels: number;
}

export interface Prediction {
    readonly loss: number;
    readonly deviation: number;
}

/** @returns standard deviations by which the expected loss is below that of a cosine */
export function scoreOf({ loss, deviation }: Prediction, cosine: number): number {
    return (Math.log(1 - cosine) - loss) / deviation;
}

/** Features are of the order of 1, so one prior fits all. */
const PRIOR_PRECISION = 1;
const FIRST_FIT = 20;
/** Older labels count less, because a growing cache makes neighbourhoods denser: half after 2,800. */
const FORGETTING = 1 - 1 / 4_000;
const MIN_VARIANCE = 1e-4;

/** Smallest 1 − r, so that the loss of an exact answer is finite. */
const MIN_DISTANCE = 1e-4;

/** @returns log(1 − r) */
export function lossOf(cosine: number): number {
    return Math.log(Math.max(1 - cosine, MIN_DISTANCE));
}

/**
 * Bayesian linear regression, updated by each label (Bishop, Pattern Recognition and Machine Learning, 2006,
 * section 3.3). The deviation contains the noise of the labels and the uncertainty of the coefficients.
 *
 * @param size number of features
 */
export function createGate(size: number): Gate {
    const gram = new Float64Array(size * size);
    const moments = new Float64Array(size);
    let squares = 0;
    let weightSum = 0;
    let labels = 0;
    let fitted: Fit | undefined;

    function fit(): Fit {
        const factor = gram.slice();
        for (let at = 0; at < size; at += 1)
            factor[at * size + at] = (factor[at * size + at] ?? 0) + PRIOR_PRECISION;
        factorise(factor, size);
        const coefficients = moments.slice();
        solveFactorised(factor, size, coefficients);
        const explained = dotDouble(coefficients, moments);
        const free = Math.max(1, weightSum - fittedCoefficients(factor));
        const variance = Math.max(MIN_VARIANCE, (squares - explained) / free);
        return { factor, coefficients, variance };
    }

    /** Effective number of coefficients: those that the labels determine, and not the prior. */
    function fittedCoefficients(factor: Float64Array): number {
        let fromPrior = 0;
        for (let at = 0; at < size; at += 1) {
            const unit = new Float64Array(size);
            unit[at] = PRIOR_PRECISION;
            solveFactorised(factor, size, unit);
            fromPrior += unit[at] ?? 0;
        }
        return size - fromPrior;
    }

    return {
        predict: (features) => {
            if (!fitted) return undefined;
            const { factor, coefficients, variance } = fitted;
            const scaled = features.slice();
            solveLower(factor, size, scaled);
            return {
                loss: dotDouble(features, coefficients),
                deviation: Math.sqrt(variance * (1 + dotDouble(scaled, scaled))),
            };
        },
        learn: (features, loss) => {
            for (let row = 0; row < size; row += 1) {
                const feature = features[row] ?? 0;
                moments[row] = (moments[row] ?? 0) * FORGETTING + feature * loss;
                for (let column = 0; column <= row; column += 1) {
                    const at = row * size + column;
                    gram[at] = (gram[at] ?? 0) * FORGETTING + feature * (features[column] ?? 0);
                }
            }
            squares = squares * FORGETTING + loss * loss;
            weightSum = weightSum * FORGETTING + 1;
            labels += 1;
            // A fit takes less time than a prediction of the map, so each label counts at once.
            if (labels >= FIRST_FIT) fitted = fit();
        },
        labels: () => labels,
        save: () => ({ gram: [...gram], moments: [...moments], squares, weightSum, labels }),
        restore: (saved) => {
            gram.set(saved.gram);
            moments.set(saved.moments);
            ({ squares, weightSum, labels } = saved);
            fitted = labels < FIRST_FIT ? undefined : fit();
        },
    };
}

interface Fit {
    readonly factor: Float64Array;
    readonly coefficients: Float64Array;
    readonly variance: number;
}
