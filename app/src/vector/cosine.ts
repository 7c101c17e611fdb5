/** Two computations of one vector differ by rounding only, on whatever hardware. */
export const LEAST_COSINE_OF_SAME = 0.9999;

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

/** Most models give vectors of unit length; bytes that were read wrong, or cut, have another one. */
export function isUnit(vector: Float32Array): boolean {
    return Math.abs(norm(vector) - 1) <= UNIT_TOLERANCE;
}

/** Of a length that some model has: bytes of doubles, read as floats, come to 10¹⁹ and more. */
export function isPlausible(vector: Float32Array): boolean {
    const length = norm(vector);
    return length >= PLAUSIBLE.least && length <= PLAUSIBLE.most;
}

function norm(vector: Float32Array): number {
    let squares = 0;
    for (const value of vector) squares += value * value;
    return Math.sqrt(squares);
}
