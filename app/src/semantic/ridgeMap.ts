import { dotDouble } from "./linear.ts";

/** Affine map from signatures to upstream vectors, fitted on pairs whose vectors have been paid for. */
export interface RidgeMap {
    /** Fits the map to another pair. */
    readonly add: (signature: Float32Array, vector: Float32Array) => void;
    /** Fits the map without a pair that was added, with the same numbers: no prediction depends on it any more. */
    readonly remove: (signature: Float32Array, vector: Float32Array) => void;
    /**
     * @param constant factor of the intercept: 1 for a signature, 1 − Σ w for a signature minus Σ w · others
     * @returns the predicted vector, not normalised; undefined while the map is cold
     */
    readonly apply: (
        signature: Float32Array | Float64Array,
        constant?: number,
    ) => Float64Array | undefined;
    /** Pairs that the map is fitted on; 0 while it is cold. */
    readonly fittedOn: () => number;
}

export interface RidgeMapOptions {
    /** Length of a signature. */
    readonly inputs: number;
    /** Length of an upstream vector. */
    readonly outputs: number;
    /** Weight of the penalty; the study found 4 best for vectors of length 1. */
    readonly alpha?: number;
    /** Pairs before the map is used. */
    readonly firstFit?: number;
}

const ALPHA = 4;
const FIRST_FIT = 16;

/**
 * Ridge regression by recursive least squares: after each pair, the map is the solution of (XᵀX + αI)·A = XᵀY, with a
 * column of ones in X. Each pair takes the same time, 2 · (inputs + outputs) · inputs operations, so that no fit
 * stops the thread; pairs are not kept, so memory does not grow: inputs² + inputs · outputs numbers of 8 bytes
 * (2.4 MB at 384 × 384). Removing a pair is the same step with the opposite sign: α keeps the matrix invertible.
 */
export function createRidgeMap(options: RidgeMapOptions): RidgeMap {
    const { inputs, outputs, alpha = ALPHA, firstFit = FIRST_FIT } = options;
    /** The signature, and the factor of the intercept. */
    const columns = inputs + 1;
    /** (XᵀX + αI)⁻¹, symmetric. */
    const inverse = new Float64Array(columns * columns);
    for (let at = 0; at < columns; at += 1) inverse[at * columns + at] = 1 / alpha;
    /** One row for each output. */
    const coefficients = new Float64Array(outputs * columns);
    const input = new Float64Array(columns);
    const gain = new Float64Array(columns);
    let pairs = 0;

    function change(signature: Float32Array, vector: Float32Array, times: 1 | -1): void {
        input.set(signature);
        input[inputs] = 1;
        for (let row = 0; row < columns; row += 1)
            gain[row] = dotDouble(inverse, input, columns, row * columns);
        const scale = 1 / (times + dotDouble(gain, input));
        for (let row = 0; row < outputs; row += 1) {
            const residual =
                (vector[row] ?? 0) - dotDouble(coefficients, input, columns, row * columns);
            addTo(coefficients, gain, residual * scale, row * columns);
        }
        for (let row = 0; row < columns; row += 1)
            addTo(inverse, gain, -(gain[row] ?? 0) * scale, row * columns);
        pairs += times;
    }

    return {
        add: (signature, vector) => change(signature, vector, 1),
        remove: (signature, vector) => change(signature, vector, -1),
        apply: (signature, constant = 1) => {
            if (pairs < firstFit) return undefined;
            input.set(signature);
            input[inputs] = constant;
            const vector = new Float64Array(outputs);
            for (let row = 0; row < outputs; row += 1)
                vector[row] = dotDouble(coefficients, input, columns, row * columns);
            return vector;
        },
        fittedOn: () => (pairs < firstFit ? 0 : pairs),
    };
}

/** Adds `factor` × `values` to as many numbers of `target`, from `from` on. */
function addTo(target: Float64Array, values: Float64Array, factor: number, from: number): void {
    for (let at = 0; at < values.length; at += 1)
        target[from + at] = (target[from + at] ?? 0) + factor * (values[at] ?? 0);
}
