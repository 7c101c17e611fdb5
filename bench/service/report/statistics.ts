/** The middle value, or the mean of the two in the middle; NaN for none. */
export function median(values: readonly number[]): number {
    const sorted = values.toSorted((a, b) => a - b);
    const half = sorted.length / 2;
    return ((sorted[Math.ceil(half) - 1] ?? NaN) + (sorted[Math.floor(half)] ?? NaN)) / 2;
}

/** (max − min) ÷ median */
export function spread(values: readonly number[]): number {
    return (Math.max(...values) - Math.min(...values)) / median(values);
}

/**
 * Median over the turns of the ratio between two peers. A machine that slows down for a while slows both runs of
 * a turn, so the ratio is more stable than the rates.
 */
export function pairedRatio(own: readonly number[], other: readonly number[]): number {
    const turns = Math.min(own.length, other.length);
    return median(
        Array.from({ length: turns }, (_, turn) => (own[turn] ?? NaN) / (other[turn] ?? NaN)),
    );
}
