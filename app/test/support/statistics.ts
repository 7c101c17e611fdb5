export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
    let dot = 0;
    let aa = 0;
    let bb = 0;
    for (let at = 0; at < a.length; at += 1) {
        const [x, y] = [a[at] ?? NaN, b[at] ?? NaN];
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    return dot / Math.sqrt(aa * bb);
}

/** Spearman's rank correlation; ties get their mean rank. */
export function spearman(a: readonly number[], b: readonly number[]): number {
    const [x, y] = [centred(ranks(a)), centred(ranks(b))];
    return cosine(x, y);
}

function centred(values: readonly number[]): readonly number[] {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.map((value) => value - mean);
}

function ranks(values: readonly number[]): readonly number[] {
    const sorted = values.toSorted((a, b) => a - b);
    const first = new Map<number, number>();
    const last = new Map<number, number>();
    sorted.forEach((value, rank) => {
        if (!first.has(value)) first.set(value, rank);
        last.set(value, rank);
    });
    return values.map((value) => ((first.get(value) ?? NaN) + (last.get(value) ?? NaN)) / 2);
}
