import type { QuarantineReason } from "@property-search/contract";

import type { LocalCache, SharedCache } from "../cache/tiers.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { Trials } from "./trials.ts";

/** Takes in nothing that other builds made on trial: it may still be on its way from Redis. */
export function localOnTrial({ barred }: Trials, cache: LocalCache): LocalCache {
    return {
        ...cache,
        set: (key, embedding) => {
            if (!barred(embedding)) cache.set(key, embedding);
        },
    };
}

/**
 * Finds nothing that other builds made on trial, which is then fetched and written over. A build on trial
 * fetches under leases of its own: nobody waits for what will not be served.
 *
 * @param refused is told of each entry that is there and not served
 */
export function sharedOnTrial(
    trials: Trials,
    cache: SharedCache,
    refused: (reason: QuarantineReason) => void,
): SharedCache {
    const apart = (key: string): string => `${trials.writer}:${key}`;

    return {
        ...cache,
        read: async (keys, dimensions) => {
            const found = await cache.read(keys, dimensions);
            let served: Map<string, Embedding> | undefined;
            for (const [key, embedding] of found) {
                const reason = trials.refusal(embedding);
                if (reason === undefined) continue;
                refused(reason);
                served ??= new Map(found);
                served.delete(key);
            }
            return served ?? found;
        },
        lease: async (keys, token, milliseconds) => {
            if (trials.own()?.state !== "trial") return cache.lease(keys, token, milliseconds);
            const won = await cache.lease(keys.map(apart), token, milliseconds);
            return new Set(keys.filter((key) => won.has(apart(key))));
        },
        release: (keys, token, milliseconds) => {
            cache.release(keys, token, milliseconds);
            // The trial may have begun or ended since they were asked for; only what is held is given back.
            cache.release(keys.map(apart), token, milliseconds);
        },
    };
}
