import type { QuarantineReason } from "@property-search/contract";

import type { LocalCache, SharedCache } from "../cache/tiers.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { Quarantines } from "./quarantines.ts";

/** Rejects entries that other builds made in quarantine; one may still arrive from Redis. */
export function withLocalQuarantines(
    { isQuarantined }: Quarantines,
    cache: LocalCache,
): LocalCache {
    return {
        ...cache,
        set: (key, embedding) => {
            if (!isQuarantined(embedding)) cache.set(key, embedding);
        },
    };
}

/**
 * Hides entries that other builds made in quarantine; they are fetched and overwritten. A quarantined build
 * uses separate leases, so that no pod waits for an entry that it would not serve.
 *
 * @param onSkipped called for each entry that exists and is not served
 */
export function withSharedQuarantines(
    quarantines: Quarantines,
    cache: SharedCache,
    onSkipped: (reason: QuarantineReason) => void,
): SharedCache {
    const separateKey = (key: string): string => `${quarantines.buildId}:${key}`;

    return {
        ...cache,
        read: async (keys, dimensions) => {
            const found = await cache.read(keys, dimensions);
            let served: Map<string, Embedding> | undefined;
            for (const [key, embedding] of found) {
                const reason = quarantines.skipReason(embedding);
                if (reason === undefined) continue;
                onSkipped(reason);
                served ??= new Map(found);
                served.delete(key);
            }
            return served ?? found;
        },
        acquireLeases: async (keys, token, milliseconds) => {
            if (quarantines.ownRecord()?.state !== "quarantined")
                return cache.acquireLeases(keys, token, milliseconds);
            const won = await cache.acquireLeases(keys.map(separateKey), token, milliseconds);
            return new Set(keys.filter((key) => won.has(separateKey(key))));
        },
        releaseLeases: (keys, token, milliseconds) => {
            cache.releaseLeases(keys, token, milliseconds);
            // The quarantine may have changed since the lease was acquired. Releasing a lease that is not
            // held has no effect.
            cache.releaseLeases(keys.map(separateKey), token, milliseconds);
        },
    };
}
