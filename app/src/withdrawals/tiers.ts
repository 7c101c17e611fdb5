import { noSharedCache, type LocalCache, type SharedCache } from "../cache/tiers.ts";
import type { Withdrawals } from "./withdrawals.ts";

/** Takes in no copy that was withdrawn: one may still be on its way from Redis. */
export function localWithout({ covers }: Withdrawals, cache: LocalCache): LocalCache {
    return {
        ...cache,
        set: (key, embedding) => {
            if (!covers(key, embedding.createdAt)) cache.set(key, embedding);
        },
    };
}

/** Finds no copy that was withdrawn: a pod that had it may have written it again. */
export function sharedWithout({ covers }: Withdrawals, cache: SharedCache): SharedCache {
    return {
        ...cache,
        read: async (keys, dimensions) => {
            const found = await cache.read(keys, dimensions);
            const held = Array.from(found);
            const served = held.filter(([key, { createdAt }]) => !covers(key, createdAt));
            return served.length === held.length ? found : new Map(served);
        },
    };
}

/**
 * Is no cache until this pod knows which entries must not be served: a key may lie in an epoch that was left
 * behind, and a copy may be a withdrawn one.
 */
export function sharedWhenKnown(isKnown: () => boolean, cache: SharedCache): SharedCache {
    const current = (): SharedCache => (isKnown() ? cache : noSharedCache);
    return {
        ...cache,
        read: (...args) => current().read(...args),
        write: (entries) => current().write(entries),
        lease: (...args) => current().lease(...args),
        state: () => (cache.state() === "up" && !isKnown() ? "down" : cache.state()),
    };
}
