import { noSharedCache, type LocalCache, type SharedCache } from "../cache/tiers.ts";
import type { Invalidations } from "./invalidations.ts";

/** Rejects invalidated entries; one may still arrive from Redis. */
export function withLocalInvalidations(
    { isInvalidated }: Invalidations,
    cache: LocalCache,
): LocalCache {
    return {
        ...cache,
        set: (key, embedding) => {
            if (!isInvalidated(key, embedding.createdAt)) cache.set(key, embedding);
        },
    };
}

/** Hides invalidated entries: a pod with a copy may have written it again. */
export function withSharedInvalidations(
    { isInvalidated }: Invalidations,
    cache: SharedCache,
): SharedCache {
    return {
        ...cache,
        read: async (keys, dimensions) => {
            const found = await cache.read(keys, dimensions);
            const entries = Array.from(found);
            const served = entries.filter(([key, { createdAt }]) => !isInvalidated(key, createdAt));
            return served.length === entries.length ? found : new Map(served);
        },
    };
}

/**
 * Disables the shared cache until this pod knows which entries are invalid: a key may belong to an outdated
 * epoch, and a copy may be invalidated.
 */
export function withMissesUntilKnown(isKnown: () => boolean, cache: SharedCache): SharedCache {
    const current = (): SharedCache => (isKnown() ? cache : noSharedCache);
    return {
        ...cache,
        read: (...args) => current().read(...args),
        write: (entries) => current().write(entries),
        acquireLeases: (...args) => current().acquireLeases(...args),
        state: () => (cache.state() === "up" && !isKnown() ? "down" : cache.state()),
    };
}
