import type { Random } from "../shared/random.ts";

export function pick<T>(random: Random, from: readonly T[]): T {
    const one = from[Math.floor(random() * from.length)];
    if (one === undefined) throw new Error("Nothing to pick from");
    return one;
}

/** @returns a shuffled copy (Fisher–Yates) */
export function shuffle<T>(random: Random, values: readonly T[]): T[] {
    const copy = [...values];
    for (let last = copy.length - 1; last > 0; last -= 1) {
        const other = Math.floor(random() * (last + 1));
        const [a, b] = [copy[last] as T, copy[other] as T];
        copy[last] = b;
        copy[other] = a;
    }
    return copy;
}
