import {
    QUARANTINE_PROPAGATION_MILLISECONDS,
    type QuarantineReason,
} from "@property-search/contract";

import { createPolledRecords } from "../redis/polledRecords.ts";
import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Lifetime } from "../vector/embedding.ts";
import type { StoredRecord, QuarantineStore } from "./store.ts";
import {
    startQuarantine,
    quarantineReason,
    isLater,
    extendTo,
    endQuarantine,
    type QuarantineChange,
    type QuarantineRecord,
} from "./record.ts";

/** Build and creation time of an entry. */
export type Provenance = Pick<Lifetime, "buildId" | "createdAt">;

export type QuarantineRequest = Pick<QuarantineRecord, "buildId" | "release" | "actor" | "reason">;

/**
 * Quarantine of builds. A quarantined build shares Redis with other builds, but they do not serve its entries
 * until it is promoted. All pods poll the records from Redis. The latest record of a build is valid, so
 * merging the records of a pod and of Redis is always correct.
 */
export interface Quarantines {
    /** ID of this pod's build. */
    readonly buildId: string;
    /** @returns why this pod must not serve an entry from Redis, or undefined if it may */
    readonly skipReason: (entry: Provenance) => QuarantineReason | undefined;
    /** The same for an entry in the local cache, which is kept while Redis is unavailable. */
    readonly isQuarantined: (entry: Provenance) => boolean;
    /** Whether all builds would serve the entry. */
    readonly isTrusted: (entry: Provenance) => boolean;
    /** The record of this pod's own build. */
    readonly ownRecord: () => QuarantineRecord | undefined;
    /** Latest first. */
    readonly list: () => readonly QuarantineRecord[];
    /** Whether the records were read recently. Otherwise, entries of other builds are misses. */
    readonly isUpToDate: () => boolean;
    /**
     * Takes effect here immediately, and in other pods within QUARANTINE_PROPAGATION_MILLISECONDS.
     *
     * @param since see `startQuarantine`
     * @throws Error while Redis is unavailable
     */
    readonly quarantine: (request: QuarantineRequest, since?: number) => Promise<QuarantineRecord>;
    /** @throws OtherReleaseError; Error like `quarantine` */
    readonly promote: (request: QuarantineRequest) => Promise<QuarantineRecord>;
    readonly start: () => Promise<void>;
    readonly stop: () => void;
}

export interface QuarantinesOptions {
    readonly store: QuarantineStore;
    /** ID of this pod's build. */
    readonly buildId: string;
    /** The longest time for which an entry that exists, or that this pod writes now, may still be served. */
    readonly entryLifetimeMilliseconds: () => number;
    /** Removes entries from the local cache. */
    readonly evict: (which: (entry: Provenance) => boolean) => void;
    readonly log: Log;
}

/** Records are kept for this long beyond the lifetime of entries, and extended when the margin is used up. */
const RETENTION_MARGIN_MILLISECONDS = 3_600_000;
/** Attempts of a change when other pods change the same record concurrently. */
const ATTEMPTS = 5;

export function createQuarantines(options: QuarantinesOptions): Quarantines {
    const { store, buildId: own, entryLifetimeMilliseconds, evict, log } = options;
    const known = new Map<string, QuarantineRecord>();
    /** Version of Redis when it held all records known here; null if it may not hold them. */
    let version: string | null = null;
    let readAt = -Infinity;
    const { start, stop } = createPolledRecords({
        name: "Quarantines",
        read,
        onReachable: store.onReachable,
        log,
    });

    const reasonFor = ({
        buildId = own,
        createdAt,
    }: Provenance): "quarantined" | "not_promoted" | undefined => {
        const record = known.get(buildId);
        return record && quarantineReason(record, createdAt);
    };
    const isOwn = ({ buildId }: Provenance): boolean => buildId === undefined || buildId === own;
    const isUpToDate = (): boolean =>
        performance.now() - readAt < QUARANTINE_PROPAGATION_MILLISECONDS;

    function findSkipReason(entry: Provenance): QuarantineReason | undefined {
        const reason = reasonFor(entry);
        if (isOwn(entry)) return reason === "not_promoted" ? reason : undefined;
        return reason ?? (isUpToDate() ? undefined : "state_unknown");
    }

    function isQuarantined(entry: Provenance): boolean {
        const reason = reasonFor(entry);
        return reason === "not_promoted" || (reason === "quarantined" && !isOwn(entry));
    }

    async function read(): Promise<void> {
        const startedAt = performance.now();
        const storedVersion = await store.version();
        const isExtended = extendOwnRecord();
        // An emptied Redis has no version; this pod restores its records.
        const isUnchanged =
            storedVersion === version && (storedVersion !== null || known.size === 0);
        if (isExtended || !isUnchanged) {
            const stored = await store.readAll();
            mergeAll(stored);
            readAt = startedAt;
            if (await restore(stored)) version = storedVersion;
        }
        readAt = startedAt;
    }

    /** Removes expired records, and extends the record of this pod's build as long as it writes entries. */
    function extendOwnRecord(): boolean {
        const now = wallClock();
        const ownRecord = known.get(own);
        const isExpiring =
            ownRecord !== undefined && ownRecord.expiresAt < now + entryLifetimeMilliseconds();
        if (isExpiring) known.set(own, extendTo(ownRecord, { expiresAt: expiryAfter(now) }));
        for (const { buildId, expiresAt } of [...known.values()]) {
            if (expiresAt <= now) known.delete(buildId);
        }
        return isExpiring;
    }

    function expiryAfter(now: number): number {
        return now + entryLifetimeMilliseconds() + RETENTION_MARGIN_MILLISECONDS;
    }

    function mergeAll(stored: ReadonlyMap<string, StoredRecord>): void {
        // Redis may be restored to the version that was read before this one.
        version = null;
        for (const { record } of stored.values()) {
            if (record) merge(record);
        }
    }

    function merge(record: QuarantineRecord): void {
        const before = known.get(record.buildId);
        if (record.expiresAt <= wallClock() || !isLater(record, before)) return;
        known.set(record.buildId, record);
        if (record.changedAt === before?.changedAt) return;
        const { buildId, state, release, actor, reason } = record;
        log.info({ buildId, state, release, actor, reason }, "A quarantine record has changed");
        evict(isQuarantined);
    }

    /**
     * Redis may have been emptied, or restored from an older snapshot.
     *
     * @returns whether nothing was lost
     */
    async function restore(stored: ReadonlyMap<string, StoredRecord>): Promise<boolean> {
        const lost = [...known.values()].filter((one) =>
            isLater(one, stored.get(one.buildId)?.record),
        );
        for (const one of lost)
            await store.compareAndSwap(one.buildId, stored.get(one.buildId), one);
        return lost.length === 0;
    }

    async function apply(
        request: QuarantineRequest,
        change: (before: QuarantineRecord | undefined, order: QuarantineChange) => QuarantineRecord,
    ): Promise<QuarantineRecord> {
        const { buildId } = request;
        for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
            // A pod that has just started, or lost Redis, may not know the changes of other pods yet.
            const stored = new Map(await store.readAll());
            mergeAll(stored);
            const now = wallClock();
            const after = change(known.get(buildId), {
                ...request,
                now,
                expiresAt: expiryAfter(now),
            });
            await removeExpired(stored);
            if (!(await store.compareAndSwap(buildId, stored.get(buildId), after))) continue;
            merge(after);
            return after;
        }
        throw new Error(`the record of ${buildId} keeps changing`);
    }

    /** Removes expired records. */
    async function removeExpired(stored: Map<string, StoredRecord>): Promise<void> {
        for (const [buildId, storedRecord] of stored) {
            if (
                !storedRecord.record ||
                storedRecord.record.expiresAt > wallClock() ||
                known.has(buildId)
            )
                continue;
            await store.compareAndSwap(buildId, storedRecord, undefined);
            stored.delete(buildId);
        }
    }

    return {
        buildId: own,
        skipReason: findSkipReason,
        isQuarantined,
        isTrusted: (entry) => reasonFor(entry) === undefined,
        ownRecord: () => known.get(own),
        list: () => [...known.values()].sort((a, b) => b.changedAt - a.changedAt),
        isUpToDate,
        quarantine: (request, since) =>
            apply(request, (before, wanted) => startQuarantine(before, wanted, since)),
        promote: (request) => apply(request, endQuarantine),
        start,
        stop,
    };
}
