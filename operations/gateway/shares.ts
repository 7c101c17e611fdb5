import type { PerColour, Weights } from "@property-search/contract";

/** Runs `once` for each sample, with limited concurrency. @throws the signal's reason if aborted */
export async function runSamples(
    { samples, concurrency, signal }: SamplingOptions,
    once: () => Promise<void>,
): Promise<void> {
    let left = samples;
    await Promise.all(
        Array.from({ length: concurrency }, async () => {
            while (left > 0) {
                left -= 1;
                signal?.throwIfAborted();
                await once();
            }
        }),
    );
}

export interface SamplingOptions {
    readonly samples: number;
    readonly concurrency: number;
    readonly signal?: AbortSignal | undefined;
}

/** Requests answered, per colour. */
export type Shares = PerColour<number>;

/**
 * Checks measured shares against the weights. Each request goes to green with probability p = weight / 100, so n requests
 * have an expected count of n·p with a standard deviation of √(n·p·(1−p)). A deviation of up to 4 of these is accepted
 * (1 run in 16,000 fails by chance); at 0 or 100 % no deviation is.
 */
export function checkShares(shares: Shares, weights: Weights): { matches: boolean; text: string } {
    const total = shares.blue + shares.green;
    const p = weights.green / 100;
    const expected = total * p;
    const sigma = Math.sqrt(total * p * (1 - p));
    const off = shares.green - expected;
    return {
        matches: total > 0 && Math.abs(off) <= 4 * sigma,
        text:
            `${shares.blue}/${shares.green} of ${total} for weights ` +
            `${weights.blue}/${weights.green}` +
            (sigma > 0 ? ` (${(off / sigma).toFixed(1)} σ)` : ""),
    };
}
