import type { Embedding } from "../vector/embedding.ts";
import type { Sealed } from "../vector/entry.ts";

/** Cache in this process. Synchronous, so that a hit costs no turn of the event loop. */
export interface LocalCache {
    /** May be stale: see `freshUntil`. */
    readonly get: (key: string) => Embedding | undefined;
    readonly set: (key: string, embedding: Embedding) => void;
    readonly remove: (key: string) => boolean;
    /** Looks at every entry. */
    readonly removeAll: (which: (embedding: Embedding) => boolean) => void;
    readonly size: () => { readonly entries: number; readonly bytes: number };
}

/** Cache that pods share. It never throws and never waits long: without it, everything is a miss. */
export interface SharedCache {
    /** @returns the entries that were found and are sound, by key; some may be stale */
    readonly read: (
        keys: readonly string[],
        dimensions: number | undefined,
    ) => Promise<ReadonlyMap<string, Embedding>>;
    /** Stores them behind what is being stored; resolves when that has been tried. */
    readonly write: (entries: readonly Sealed[]) => Promise<void>;
    /** @returns how many of them were there */
    readonly remove: (keys: readonly string[]) => Promise<number>;
    /**
     * Asks to be the one pod that fetches these keys, for so long.
     *
     * @returns the keys that were won; all of them where there is nobody to ask
     */
    readonly lease: (
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ) => Promise<ReadonlySet<string>>;
    /** Gives leases up after so long, if they are still held under this token. Does not wait. */
    readonly release: (keys: readonly string[], token: string, milliseconds: number) => void;
    /** `off`: none configured. */
    readonly state: () => "up" | "down" | "off";
    readonly close: () => Promise<void>;
}

/** Stands in where no Redis is configured. */
export const noSharedCache: SharedCache = {
    read: () => Promise.resolve(new Map()),
    write: () => Promise.resolve(),
    remove: () => Promise.resolve(0),
    lease: (keys) => Promise.resolve(new Set(keys)),
    release: () => undefined,
    state: () => "off",
    close: () => Promise.resolve(),
};
