import type { Embedding } from "../vector/embedding.ts";
import type { EncodedEntry } from "../vector/entry.ts";

/** Cache in this process. Synchronous, so that a hit needs no turn of the event loop. */
export interface LocalCache {
    /** Once for each item of a client's request: the cache keeps what is requested most. */
    readonly recordRequest: (key: string) => void;
    /** Possibly stale: see `freshUntil`. */
    readonly get: (key: string) => Embedding | undefined;
    readonly set: (key: string, embedding: Embedding) => void;
    readonly remove: (key: string) => boolean;
    /** Scans all entries. */
    readonly removeWhere: (which: (embedding: Embedding) => boolean) => void;
    readonly size: () => { readonly entries: number; readonly bytes: number };
}

/**
 * Cache shared by all pods. It never throws and never blocks for long: if unavailable, everything is a miss.
 */
export interface SharedCache {
    /** @returns the valid entries found, by key; some may be stale */
    readonly read: (
        keys: readonly string[],
        dimensions: number | undefined,
    ) => Promise<ReadonlyMap<string, Embedding>>;
    /** Stores entries after all pending writes; resolves when the attempt has ended. */
    readonly write: (entries: readonly EncodedEntry[]) => Promise<void>;
    /** @returns how many of the keys existed */
    readonly remove: (keys: readonly string[]) => Promise<number>;
    /**
     * Acquires the exclusive right to fetch keys for a limited time.
     *
     * @returns the granted keys; all keys if there is no Redis
     */
    readonly acquireLeases: (
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ) => Promise<ReadonlySet<string>>;
    /** Releases leases held with this token after a delay. Does not wait. */
    readonly releaseLeases: (keys: readonly string[], token: string, milliseconds: number) => void;
    /** `off`: not configured. */
    readonly state: () => "up" | "down" | "off";
    readonly close: () => Promise<void>;
}

/** Replaces Redis if none is configured. */
export const noSharedCache: SharedCache = {
    read: () => Promise.resolve(new Map()),
    write: () => Promise.resolve(),
    remove: () => Promise.resolve(0),
    acquireLeases: (keys) => Promise.resolve(new Set(keys)),
    releaseLeases: () => undefined,
    state: () => "off",
    close: () => Promise.resolve(),
};
