import type { PerColour, Weights } from "@property-search/contract";

/** Does the same so many times, some of them at once. @throws the signal's reason between two */
export async function sampled(
    { samples, atOnce, signal }: Sampling,
    once: () => Promise<void>,
): Promise<void> {
    let left = samples;
    await Promise.all(
        Array.from({ length: atOnce }, async () => {
            while (left > 0) {
                left -= 1;
                signal?.throwIfAborted();
                await once();
            }
        }),
    );
}

export interface Sampling {
    readonly samples: number;
    readonly atOnce: number;
    readonly signal?: AbortSignal | undefined;
}

/** Requests answered, per colour. */
export type Shares = PerColour<number>;

/**
 * Do measured shares fit the weights? Each request goes to green with probability p = weight / 100, so
 * of n requests n·p are expected with standard deviation √(n·p·(1−p)); up to 4 of those are chance
 * (1 run in 16,000 fails by it), and at 0 or 100 % there is no chance at all.
 */
export function sharesWithin(shares: Shares, weights: Weights): { holds: boolean; text: string } {
    const total = shares.blue + shares.green;
    const p = weights.green / 100;
    const expected = total * p;
    const sigma = Math.sqrt(total * p * (1 - p));
    const off = shares.green - expected;
    return {
        holds: total > 0 && Math.abs(off) <= 4 * sigma,
        text:
            `${shares.blue}/${shares.green} of ${total} for weights ` +
            `${weights.blue}/${weights.green}` +
            (sigma > 0 ? ` (${(off / sigma).toFixed(1)} σ)` : ""),
    };
}
