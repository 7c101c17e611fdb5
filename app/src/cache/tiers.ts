import type { Embedding } from "../vector/embedding.ts";

/** Cache in this process. Synchronous, so that a hit costs no turn of the event loop. */
export interface LocalCache {
    readonly get: (key: string) => Embedding | undefined;
    readonly set: (key: string, embedding: Embedding) => void;
    readonly size: () => { readonly entries: number; readonly bytes: number };
}

/** Cache that pods share. It never throws and never waits long: without it, everything is a miss. */
export interface SharedCache {
    /** @returns the entries that were found and are sound, by key. */
    readonly read: (
        keys: readonly string[],
        dimensions: number | undefined,
    ) => Promise<ReadonlyMap<string, Embedding>>;
    /** Begins to store, and does not wait. */
    readonly write: (entries: readonly (readonly [string, Embedding])[]) => void;
    /** `off`: none configured. */
    readonly state: () => "up" | "down" | "off";
    readonly close: () => Promise<void>;
}

/** Stands in where no Redis is configured. */
export const noSharedCache: SharedCache = {
    read: () => Promise.resolve(new Map()),
    write: () => undefined,
    state: () => "off",
    close: () => Promise.resolve(),
};
