import { createPolledRecords } from "../redis/polledRecords.ts";
import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { InvalidationStore } from "./store.ts";
import type { Invalidation } from "./record.ts";

/**
 * All pods poll the invalidations from Redis. Records only grow and expire, so merging the records of a pod
 * and of Redis is always correct.
 */
export interface Invalidations {
    readonly isInvalidated: (key: string, createdAt: number) => boolean;
    readonly find: (key: string) => Invalidation | undefined;
    /** Newest first. */
    readonly list: () => readonly Invalidation[];
    /**
     * Takes effect here immediately, and in other pods within INVALIDATION_PROPAGATION_MILLISECONDS, or when
     * they reach Redis again.
     *
     * @throws Error while Redis is unavailable, TooManyInvalidationsError
     */
    readonly add: (invalidation: Invalidation) => Promise<void>;
    /** Until the first read, any copy in Redis may be invalidated. */
    readonly isKnown: () => boolean;
    readonly start: () => Promise<void>;
    readonly stop: () => void;
}

/** All pods read all records. To invalidate more entries, increment the tenant's epoch. */
export const MAX_INVALIDATIONS = 2_000;

export class TooManyInvalidationsError extends Error {
    constructor() {
        super(`${MAX_INVALIDATIONS} entries are flagged or were recently deleted`);
        this.name = "TooManyInvalidationsError";
    }
}

/** One poll interval plus the timeout of a read. */
export const INVALIDATION_PROPAGATION_MILLISECONDS = 1_200;

/** @param evict removes a local entry that was created until then */
export function createInvalidations(
    store: InvalidationStore,
    evict: (key: string, invalidBefore: number) => void,
    log: Log,
): Invalidations {
    const known = new Map<string, Invalidation>();
    let version: string | null = null;
    const { isKnown, start, stop } = createPolledRecords({
        name: "Invalidations",
        read,
        onReachable: store.onReachable,
        log,
    });

    async function read(): Promise<void> {
        const current = await store.version();
        removeExpired();
        // An emptied Redis has no version; this pod restores its records.
        if (current === version && (current !== null || known.size === 0)) return;
        const stored = await store.readAll();
        for (const one of stored) merge(one);
        const lost = findLost(stored);
        if (lost.length > 0) await store.put(lost, []);
        else version = current;
    }

    function merge(invalidation: Invalidation): void {
        const { key, invalidBefore, expiresAt } = invalidation;
        if (expiresAt <= wallClock() || invalidBefore <= (known.get(key)?.invalidBefore ?? 0))
            return;
        known.set(key, invalidation);
        evict(key, invalidBefore);
    }

    /** Redis may have been emptied, or restored from an older snapshot. */
    function findLost(stored: readonly Invalidation[]): readonly Invalidation[] {
        const invalidBefore = new Map(stored.map((one) => [one.key, one.invalidBefore]));
        return [...known.values()].filter(
            (one) => one.invalidBefore > (invalidBefore.get(one.key) ?? 0),
        );
    }

    /** @returns keys of the expired records */
    function removeExpired(): readonly string[] {
        const now = wallClock();
        const ended = [...known.values()].filter(({ expiresAt }) => expiresAt <= now);
        for (const { key } of ended) known.delete(key);
        return ended.map(({ key }) => key);
    }

    return {
        isInvalidated: (key, createdAt) =>
            known.size > 0 && createdAt <= (known.get(key)?.invalidBefore ?? 0),
        find: (key) => known.get(key),
        list: () => [...known.values()].sort((a, b) => b.recordedAt - a.recordedAt),
        add: async (invalidation) => {
            // A pod that has just started, or lost Redis, may not know the invalidations of other pods yet.
            const stored = await store.readAll();
            for (const one of stored) merge(one);
            const ended = [...removeExpired(), ...findExpired(stored)];
            const { key } = invalidation;
            if (known.size >= MAX_INVALIDATIONS && !known.has(key))
                throw new TooManyInvalidationsError();
            await store.put([invalidation], ended);
            merge(invalidation);
        },
        isKnown,
        start,
        stop,
    };
}

function findExpired(stored: readonly Invalidation[]): readonly string[] {
    const now = wallClock();
    return stored.filter(({ expiresAt }) => expiresAt <= now).map(({ key }) => key);
}
