import type { CreatePolicy } from "./policy.ts";

/** Copies the nearest vector if its signature is at least this similar, as all semantic caches on the market do. */
export function staticThreshold(threshold: number): CreatePolicy {
    return ({ corpus }) => ({
        answer: ({ near: [nearest] }) =>
            nearest && nearest.similarity >= threshold ? corpus.truth(nearest.place) : undefined,
    });
}
