/** A source of numbers in [0, 1). */
export type Random = () => number;

/** Jest looks globals up at each use. */
const { imul } = Math;

/** Mulberry32: the same numbers for the same seed on every machine. */
export function seededRandom(seed: number): Random {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = imul(state ^ (state >>> 15), state | 1);
        mixed = (mixed + imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}
