import type { Random } from "./random.ts";

/**
 * Zipf's law: the probability of rank r is proportional to 1 / (r + 1)^exponent.
 *
 * @param exponent default: 1
 * @returns draws of a rank in [0, ranks), the first one the most popular
 */
export function createZipf(ranks: number, random: Random, exponent = 1): () => number {
    const sums = new Float64Array(ranks);
    let sum = 0;
    for (let rank = 0; rank < ranks; rank += 1) {
        sum += (rank + 1) ** -exponent;
        sums[rank] = sum;
    }
    return () => {
        const wanted = random() * sum;
        let [low, high] = [0, ranks - 1];
        while (low < high) {
            const middle = (low + high) >> 1;
            if ((sums[middle] ?? 0) < wanted) low = middle + 1;
            else high = middle;
        }
        return low;
    };
}
