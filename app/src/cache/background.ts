import type { Resolver } from "./resolver.ts";
import type { LocalCache } from "./tiers.ts";

/** Reads from a cache without writing to it: bulk work must not evict the entries of clients. */
export function withoutWrites(cache: LocalCache): LocalCache {
    return { ...cache, set: () => undefined };
}

/** Counts the client requests that currently wait in a resolver. */
export function countWaiting(inner: Resolver): { resolver: Resolver; waiting: () => number } {
    let waiting = 0;
    return {
        resolver: {
            ...inner,
            resolve: async (items, context) => {
                waiting += 1;
                try {
                    return await inner.resolve(items, context);
                } finally {
                    waiting -= 1;
                }
            },
        },
        waiting: () => waiting,
    };
}
