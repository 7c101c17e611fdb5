/** Dense linear algebra on typed arrays. Matrices are stored row by row. */

/** @returns the inner product of two ranges of `length` numbers */
export function dot(
    a: Float32Array,
    b: Float32Array,
    length = a.length,
    aFrom = 0,
    bFrom = 0,
): number {
    // Four sums, because one would wait for each addition before the next; set one by one, because an array of four
    // zeros costs as much as the product.
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let at = 0;
    for (; at + 3 < length; at += 4) {
        s0 += (a[aFrom + at] ?? 0) * (b[bFrom + at] ?? 0);
        s1 += (a[aFrom + at + 1] ?? 0) * (b[bFrom + at + 1] ?? 0);
        s2 += (a[aFrom + at + 2] ?? 0) * (b[bFrom + at + 2] ?? 0);
        s3 += (a[aFrom + at + 3] ?? 0) * (b[bFrom + at + 3] ?? 0);
    }
    for (; at < length; at += 1) s0 += (a[aFrom + at] ?? 0) * (b[bFrom + at] ?? 0);
    return s0 + s1 + s2 + s3;
}

/** The same for doubles: a function that gets arrays of both kinds takes several times as long. */
export function dotDouble(
    a: Float64Array,
    b: Float64Array,
    length = a.length,
    aFrom = 0,
    bFrom = 0,
): number {
    // Four sums, because one would wait for each addition before the next; set one by one, because an array of four
    // zeros costs as much as the product.
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let at = 0;
    for (; at + 3 < length; at += 4) {
        s0 += (a[aFrom + at] ?? 0) * (b[bFrom + at] ?? 0);
        s1 += (a[aFrom + at + 1] ?? 0) * (b[bFrom + at + 1] ?? 0);
        s2 += (a[aFrom + at + 2] ?? 0) * (b[bFrom + at + 2] ?? 0);
        s3 += (a[aFrom + at + 3] ?? 0) * (b[bFrom + at + 3] ?? 0);
    }
    for (; at < length; at += 1) s0 += (a[aFrom + at] ?? 0) * (b[bFrom + at] ?? 0);
    return s0 + s1 + s2 + s3;
}

/** Adds `factor` × `values` to `length` numbers of `target`, from `from` on. */
export function addScaled(
    target: Float64Array,
    values: Float32Array,
    factor: number,
    from = 0,
    length = values.length,
): void {
    for (let at = 0; at < length; at += 1)
        target[from + at] = (target[from + at] ?? 0) + factor * (values[at] ?? 0);
}

export function norm(values: Float64Array): number {
    return Math.sqrt(dotDouble(values, values));
}

/** @returns the values scaled to length 1, or undefined if they are zero or not finite */
export function normalise(values: Float64Array): Float32Array<ArrayBuffer> | undefined {
    const length = norm(values);
    if (!(length > 0) || !Number.isFinite(length)) return undefined;
    return Float32Array.from(values, (value) => value / length);
}

/**
 * Replaces the lower triangle of a symmetric positive definite matrix by its Cholesky factor L, A = L·Lᵀ.
 *
 * @throws Error if the matrix is not positive definite
 */
export function factorise(matrix: Float64Array, size: number): void {
    for (let row = 0; row < size; row += 1) {
        for (let column = 0; column <= row; column += 1) {
            const sum =
                (matrix[row * size + column] ?? 0) -
                dotDouble(matrix, matrix, column, row * size, column * size);
            if (row === column) {
                if (!(sum > 0)) throw new Error("The matrix is not positive definite");
                matrix[row * size + row] = Math.sqrt(sum);
            } else matrix[row * size + column] = sum / (matrix[column * size + column] ?? 0);
        }
    }
}

/** Solves L·Lᵀ·x = b in place. */
export function solveFactorised(factor: Float64Array, size: number, b: Float64Array): void {
    solveLower(factor, size, b);
    for (let row = size - 1; row >= 0; row -= 1) {
        const value = (b[row] ?? 0) / (factor[row * size + row] ?? 0);
        b[row] = value;
        // By rows of L, which are contiguous, instead of by columns of Lᵀ.
        for (let at = 0; at < row; at += 1)
            b[at] = (b[at] ?? 0) - value * (factor[row * size + at] ?? 0);
    }
}

/** Solves L·x = b in place. */
export function solveLower(factor: Float64Array, size: number, b: Float64Array): void {
    for (let row = 0; row < size; row += 1)
        b[row] =
            ((b[row] ?? 0) - dotDouble(factor, b, row, row * size)) /
            (factor[row * size + row] ?? 0);
}
