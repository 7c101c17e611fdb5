/** Computations of the same vector differ by rounding only, on any hardware. */
export const MIN_SAME_VECTOR_COSINE = 0.9999;

export function cosine(a: Float32Array, b: Float32Array): number {
    if (a.length !== b.length) return 0;
    let [dot, aa, bb] = [0, 0, 0];
    for (let at = 0; at < a.length; at += 1) {
        const [x, y] = [a[at] ?? 0, b[at] ?? 0];
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    return dot / Math.sqrt(aa * bb);
}

const UNIT_TOLERANCE = 0.01;
const PLAUSIBLE = { least: 1e-3, most: 1e4 };

/** Most models return unit vectors; incorrectly decoded or truncated bytes have another length. */
export function isUnit(vector: Float32Array): boolean {
    return Math.abs(norm(vector) - 1) <= UNIT_TOLERANCE;
}

/** Whether a model could have this length: float64 bytes decoded as float32 yield 10¹⁹ and more. */
export function isPlausible(vector: Float32Array): boolean {
    const length = norm(vector);
    return length >= PLAUSIBLE.least && length <= PLAUSIBLE.most;
}

/**
 * By index: an iterator over 1,536 numbers takes seven times as long and allocates 24 kB, which every hit in
 * Redis would pay.
 */
export function norm(vector: Float32Array | Float64Array): number {
    let squares = 0;
    for (let at = 0; at < vector.length; at += 1) {
        const value = vector[at] ?? 0;
        squares += value * value;
    }
    return Math.sqrt(squares);
}
