import { norm } from "../../vector/cosine.ts";

/**
 * Mean of `rows` consecutive rows of `dimensions` values from `offset` on, scaled to length 1: the pooling of
 * sentence-transformers for this model. Padding rows follow and are excluded.
 */
export function meanPool(
    hidden: Float32Array,
    offset: number,
    rows: number,
    dimensions: number,
): Float32Array {
    const sums = new Float64Array(dimensions);
    for (let row = 0; row < rows; row += 1) {
        const start = offset + row * dimensions;
        for (let column = 0; column < dimensions; column += 1) {
            sums[column] = (sums[column] ?? 0) + (hidden[start + column] ?? NaN);
        }
    }
    const length = norm(sums);
    return Float32Array.from(sums, (sum) => sum / length);
}
