import type { Resolver } from "./resolve.ts";
import type { LocalCache } from "./tiers.ts";

/** Finds what is there and takes nothing in: bulk work must not drive out what clients ask for. */
export function readOnly(cache: LocalCache): LocalCache {
    return { ...cache, set: () => undefined };
}

/** A resolver of which bulk work can see how many requests wait in it now. */
export function counted(inner: Resolver): { resolver: Resolver; waiting: () => number } {
    let waiting = 0;
    return {
        resolver: {
            ...inner,
            resolve: async (items, scope) => {
                waiting += 1;
                try {
                    return await inner.resolve(items, scope);
                } finally {
                    waiting -= 1;
                }
            },
        },
        waiting: () => waiting,
    };
}
