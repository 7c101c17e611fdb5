import { LRUCache } from "lru-cache";

import { wallClock } from "../clock.ts";
import type { Embedding } from "../vector/embedding.ts";
import { createFrequencySketch } from "./frequency.ts";
import type { LocalCache } from "./tiers.ts";

export interface LocalCacheOptions {
    /** Until `resize`. */
    readonly maxEntries: number;
    readonly maxBytes: number;
    /** How long an entry is kept after it became stale. */
    readonly staleSeconds: number;
    /** Shortened vectors are cached with the full vector and may need as much memory. */
    readonly supportsShortening?: boolean;
}

export interface ResizableCache extends LocalCache {
    /**
     * Sets the largest number of entries. If there are more, the least recently used ones are removed in the background, and
     * none is added meanwhile without removing another one.
     */
    readonly resize: (maxEntries: number) => void;
}

/** Entries that a shrinking cache removes in one turn of the event loop: about 0.05 ms. */
const REMOVED_PER_TURN = 256;
/** Objects, key and links of one entry. */
const OVERHEAD_BYTES = 600;
/**
 * Bytes per dimension: the vector (4), its base64 form (16/3) and its longest JSON form (25). Reserved up
 * front, because the forms are created on the first hit and the bound must hold then, too.
 */
const BYTES_PER_DIMENSION = 4 + 16 / 3 + 25;

/**
 * Evicts the least recently used entry when either limit is reached, but only for an entry that was requested
 * more often. A bulk job would otherwise evict what everybody asks for, and each hit in Redis would replace an
 * entry: memory that the garbage collector has to find by scanning the whole heap every second.
 */
export function createLocalCache(options: LocalCacheOptions): ResizableCache {
    const { maxBytes, staleSeconds, supportsShortening } = options;
    let { maxEntries } = options;
    const bytesPerDimension = BYTES_PER_DIMENSION * (supportsShortening ? 2 : 1);
    const sizeCalculation = ({ vector }: Embedding): number =>
        Math.ceil(OVERHEAD_BYTES + vector.length * bytesPerDimension);
    // Without its own `max`, which could not be changed.
    const cache = new LRUCache<string, Embedding>({ maxSize: maxBytes, sizeCalculation });
    const frequency = createFrequencySketch(maxEntries, () => cache.size);
    const lifetime = staleSeconds * 1000;

    function isAdmitted(key: string, embedding: Embedding): boolean {
        const isFull =
            cache.size >= maxEntries ||
            cache.calculatedSize + sizeCalculation(embedding) > maxBytes;
        if (!isFull || cache.has(key)) return true;
        const [victim = key] = cache.rkeys();
        const isFresh = (cache.peek(victim)?.freshUntil ?? 0) > wallClock();
        if (!isFresh || frequency.estimate(key) > frequency.estimate(victim)) return true;
        // The next candidate is compared with another entry: an estimate may be too high for good.
        cache.get(victim);
        return false;
    }

    let isShrinking = false;
    function shrink(): void {
        for (let removed = 0; removed < REMOVED_PER_TURN && cache.size > maxEntries; removed += 1)
            cache.pop();
        isShrinking = cache.size > maxEntries;
        if (isShrinking) setImmediate(shrink);
    }

    return {
        recordRequest: frequency.record,
        get: (key) => {
            const embedding = cache.get(key);
            if (embedding === undefined || wallClock() < embedding.freshUntil + lifetime) {
                return embedding;
            }
            cache.delete(key);
            return undefined;
        },
        set: (key, embedding) => {
            if (!isAdmitted(key, embedding)) return;
            if (cache.size >= maxEntries && !cache.has(key)) cache.pop();
            cache.set(key, embedding);
        },
        remove: (key) => cache.delete(key),
        removeWhere: (predicate) => {
            // Collected first: the iterator does not support deletions.
            const matching = [...cache.entries()].filter(([, embedding]) => predicate(embedding));
            for (const [key] of matching) cache.delete(key);
        },
        size: () => ({ entries: cache.size, bytes: cache.calculatedSize }),
        resize: (entries) => {
            maxEntries = entries;
            frequency.resize(entries);
            if (!isShrinking) shrink();
        },
    };
}
