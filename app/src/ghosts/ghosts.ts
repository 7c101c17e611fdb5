import { REUSE_DISTANCE_BUCKETS, type MissReason } from "@property-search/contract";

import type { Item } from "../cache/item.ts";
import type { ExplainMisses } from "../cache/leader.ts";
import { wallClock } from "../clock.ts";
import { detach } from "../detach.ts";
import type { Log } from "../log.ts";
import type { RequestContext } from "../requestContext.ts";
import type { Embedding } from "../vector/embedding.ts";
import { explainMiss, REQUEST_SECONDS, type StoredEntry } from "./missReason.ts";
import { createReuseDistances } from "./reuseDistance.ts";
import {
    MEMORY_SECONDS,
    type GhostRegistry,
    type KeyEvents,
    type KeyHistory,
    type RegistryState,
} from "./registry.ts";
import { groupOf, idOf, isInLevel, isSampled, KEYS_PER_SAMPLE, weightOf } from "./sample.ts";

/** Sampled keys whose requests are followed in all pods, without their entries. */
export interface Ghosts {
    /** Once for each item of a client's request. */
    readonly record: (key: string) => void;
    /** An entry that was read from Redis or written to it. */
    readonly onStored: (key: string, embedding: Embedding) => void;
    /** Of sampled keys. */
    readonly explain: ExplainMisses;
    readonly start: () => Promise<void>;
    readonly stop: () => Promise<void>;
}

/** Estimates: an event of a sampled key counts once for each key that it stands for. */
export interface GhostEvents {
    readonly onMiss: (group: number, reason: MissReason, count: number) => void;
    /** @param seconds since the last request */
    readonly onReuse: (group: number, seconds: number, count: number) => void;
    readonly onFirstRequest: (group: number, count: number) => void;
    /** @param needsFetch by place in GHOST_TTLS_SECONDS */
    readonly onFetches: (group: number, needsFetch: readonly boolean[], count: number) => void;
    /** @param entries that a least-recently-used cache needs for a hit */
    readonly onDistance: (group: number, entries: number) => void;
    readonly onDropped: (count: number) => void;
    readonly onState: (read: () => GhostState) => void;
}

export interface GhostState {
    /** Share of the keys whose history is known. */
    readonly ratio: number;
    /** Undefined until it was read from Redis. */
    readonly memorySeconds: number | undefined;
}

export interface GhostsOptions {
    /** Undefined without Redis. */
    readonly registry: GhostRegistry | undefined;
    /** Whether Redis can be reached; while it cannot, requests are remembered for later. */
    readonly isAvailable: () => boolean;
    /** Whether Redis has no entries at all. */
    readonly hasNoEntries: () => Promise<boolean>;
    /** Whether an entry that was created then (in milliseconds) is flagged or deleted. */
    readonly isInvalidated: (key: string, createdAt: number) => boolean;
    /** @throws Error while Redis is unavailable, or if the entry is corrupt */
    readonly findEntry: (key: string) => Promise<Embedding | undefined>;
    /** Whether an entry of Redis is not served, because of its build. */
    readonly isHidden: (embedding: Embedding) => boolean;
    /** Keys that an item had in earlier epochs. */
    readonly earlierKeysOf: (item: Item, context: RequestContext) => readonly string[];
    /** Longest time for which an entry may be in Redis. */
    readonly entryLifetimeSeconds: () => number;
    readonly events: GhostEvents;
    readonly log: Log;
    /** In milliseconds since the Unix epoch. */
    readonly now?: () => number;
}

/** Events of one key that Redis does not know yet. */
interface Pending {
    requests: number;
    /** Times in seconds; 0: none. */
    requestedAt: number;
    storedAt: number;
    freshUntil: number;
    /** Whether requests that were explained already are in it, because they could not be recorded in Redis. */
    isRepeated: boolean;
}

/** Distances up to the largest bucket, in sampled keys. */
const MAX_DISTANT_KEYS = (REUSE_DISTANCE_BUCKETS.at(-1) ?? NaN) / KEYS_PER_SAMPLE;
const FLUSH_MILLISECONDS = 1_000;
/** Keys of one command: 0.6 ms of a busy Redis, for which all other commands wait. */
const MAX_BATCH = 64;
/** Times are stored in four bytes. */
const MAX_SECONDS = 2 ** 32 - 1;
const TIDY_SECONDS = 3_600;
/** Memory bound: 1 MB. Later requests are dropped, and counted. */
const MAX_PENDING = 4_096;

/** Replaces the ghosts where nothing is measured. */
export const noGhosts: Ghosts = {
    record: () => undefined,
    onStored: () => undefined,
    explain: () => undefined,
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
};

export function createGhosts(options: GhostsOptions): Ghosts {
    const { registry, isAvailable, events, log, now = wallClock } = options;
    const distances = createReuseDistances(MAX_DISTANT_KEYS);
    const seconds = (): number => Math.floor(now() / 1000);
    let state: RegistryState | undefined;
    let pending = new Map<string, Pending>();
    /** Keys whose first request was recorded by this pod, a moment ago, and the time of it in seconds. */
    const ownFirstRequests = new Map<string, number>();
    let last: Promise<unknown> = Promise.resolve();
    let timer: NodeJS.Timeout | undefined;
    /** When events were last lost that Redis does not know to be lost, in seconds; 0: never. */
    let lostAt = 0;
    let tidiedAt = seconds();
    events.onState(() => ({
        ratio: 1 / weight(),
        memorySeconds: state && Math.min(MEMORY_SECONDS, Math.max(0, seconds() - state.since)),
    }));

    const weight = (): number => weightOf(state?.level ?? 0);

    function record(key: string): void {
        if (isSampled(key)) recordSampled(key);
    }

    function recordSampled(key: string): void {
        events.onDistance(groupOf(key), 1 + distances.record(key) * KEYS_PER_SAMPLE);
        const one = pendingOf(key);
        if (one === undefined) return;
        one.requests += 1;
        if (one.requestedAt === 0) one.requestedAt = seconds();
    }

    /** @returns undefined if this key is not recorded */
    function pendingOf(key: string): Pending | undefined {
        if (!isFollowed(key)) return undefined;
        const known = pending.get(key);
        if (known !== undefined) return known;
        if (registry === undefined || pending.size >= MAX_PENDING) {
            lostAt = seconds();
            events.onDropped(weight());
            return undefined;
        }
        const one = createPending();
        pending.set(key, one);
        return one;
    }

    /** Whether a sampled key is in the sample of the registry. */
    function isFollowed(key: string): boolean {
        return state === undefined || isInLevel(key, state.level);
    }

    function onStored(key: string, { createdAt, freshUntil }: Embedding): void {
        if (!isSampled(key)) return;
        const one = pendingOf(key);
        if (one === undefined) return;
        one.storedAt = Math.min(MAX_SECONDS, Math.floor(createdAt / 1000));
        one.freshUntil = Math.min(MAX_SECONDS, Math.floor(freshUntil / 1000));
    }

    function explain(
        items: readonly Item[],
        context: RequestContext,
    ): ReadonlyMap<string, () => void> | undefined {
        const isCounted = context.purpose === "request" || context.purpose === "audit";
        let sampled: Item[] | undefined;
        if (isCounted)
            for (const item of items) if (isSampled(item.key)) (sampled ??= []).push(item);
        const followed = sampled?.filter(({ key }) => isFollowed(key));
        if (followed === undefined || followed.length === 0) return undefined;
        const missedAt = now();
        const taken = new Map<string, Pending>();
        for (const { key } of followed) {
            const one = pending.get(key);
            pending.delete(key);
            taken.set(key, one ?? createPending());
        }
        const canRecord = registry !== undefined && isAvailable();
        // Before the fetch, whose entry replaces the one that was not served.
        const readings = canRecord ? followed.map(({ key }) => readEntry(key, missedAt)) : [];
        const recording = canRecord ? send(registry, taken) : putBack(taken);
        return new Map(
            followed.map((item, place) => {
                const reason = recording.then((histories) => {
                    const history = histories?.get(item.key);
                    const entry = readings[place];
                    if (!state || !history || !entry) return "unknown" as const;
                    return explainOne(item, context, {
                        ...{ missedAt, entry },
                        state: { ...state, lostAt: Math.max(state.lostAt, lostAt) },
                        history: withoutThisRequest(
                            item.key,
                            taken.get(item.key),
                            history,
                            missedAt,
                        ),
                    });
                });
                return [item.key, () => count(item.key, reason)];
            }),
        );
    }

    function count(key: string, reason: Promise<MissReason>): void {
        // The sample may have been halved meanwhile: those that are left stand for the others.
        const onReason = (one: MissReason): void => {
            if (isFollowed(key)) events.onMiss(groupOf(key), one, weight());
        };
        detach(reason.then(onReason, () => onReason("unknown")));
    }

    function explainOne(
        item: Item,
        context: RequestContext,
        miss: {
            readonly missedAt: number;
            readonly state: RegistryState;
            readonly history: KeyHistory;
            readonly entry: Promise<StoredEntry>;
        },
    ): Promise<MissReason> {
        const { key } = item;
        const { findEntry, isInvalidated, earlierKeysOf } = options;
        return explainMiss({
            ...miss,
            missedAt: miss.missedAt / 1000,
            entryLifetimeSeconds: options.entryLifetimeSeconds(),
            isInvalidated: (createdAt) => isInvalidated(key, createdAt * 1000),
            findEntry: () => miss.entry,
            hasEarlierEpoch: async () => {
                const found = await Promise.all(earlierKeysOf(item, context).map(findEntry));
                return found.some((entry) => entry !== undefined);
            },
        });
    }

    /** The request that missed may have been recorded before, by `flush`, or with requests that were explained already. */
    function withoutThisRequest(
        key: string,
        sent: Pending | undefined,
        history: KeyHistory,
        missedAt: number,
    ): KeyHistory {
        const { firstRequestAt } = history;
        if (firstRequestAt === 0) {
            const { isRepeated = false, requestedAt = 0 } = sent ?? {};
            const isEarlier = isRepeated || missedAt / 1000 - requestedAt > REQUEST_SECONDS;
            return isEarlier ? { ...history, firstRequestAt: requestedAt } : history;
        }
        if (ownFirstRequests.get(key) !== firstRequestAt) return history;
        ownFirstRequests.delete(key);
        return { ...history, firstRequestAt: 0 };
    }

    /** @param missedAt in milliseconds */
    function readEntry(key: string, missedAt: number): Promise<StoredEntry> {
        const reading = options.findEntry(key).then((entry): StoredEntry => {
            if (entry === undefined) return "absent";
            if (entry.createdAt >= missedAt) return "replaced";
            if (entry.freshUntil <= missedAt) return "ended";
            return options.isHidden(entry) ? "hidden" : "servable";
        });
        // Most reasons need no entry, so that nobody waits for this error.
        reading.catch(() => undefined);
        return reading;
    }

    /** Redis is unavailable: the requests are recorded later, and the reasons of these misses are unknown. */
    function putBack(taken: ReadonlyMap<string, Pending>): Promise<undefined> {
        for (const [key, one] of taken)
            if (one.requests > 0) pending.set(key, { ...one, isRepeated: true });
        return Promise.resolve(undefined);
    }

    /**
     * Never rejects. A command that failed may have been executed. Its events are sent again, since the registry may know
     * them twice, but its requests are not counted: they may not be the first ones that they would then be taken for.
     */
    async function send(
        to: GhostRegistry,
        batch: ReadonlyMap<string, Pending>,
    ): Promise<ReadonlyMap<string, KeyHistory> | undefined> {
        const histories = new Map<string, KeyHistory>();
        const entries = [...batch];
        for (let at = 0; at < entries.length; at += MAX_BATCH) {
            const part = entries.slice(at, at + MAX_BATCH);
            const sentLostAt = lostAt;
            try {
                const recorded = await recordOrEstablish(
                    to,
                    part.map(([key, one]) => ({ ...one, id: idOf(key) })),
                );
                state = recorded.state;
                if (lostAt === sentLostAt) lostAt = 0;
                part.forEach(([key, one], place) => {
                    const history = recorded.histories[place];
                    if (history) {
                        histories.set(key, onRecorded(key, one, history));
                        return;
                    }
                    lostAt = seconds();
                    if (isFollowed(key)) events.onDropped(one.requests * weight());
                });
            } catch (error) {
                log.debug(
                    { error: String(error) },
                    "Requests of sampled keys could not be recorded",
                );
                for (const [key, one] of entries.slice(at)) sendAgain(key, one);
                return undefined;
            }
        }
        return histories;
    }

    function sendAgain(key: string, failed: Pending): void {
        if (isFollowed(key)) events.onDropped(failed.requests * weight());
        const { requests = 0, storedAt = 0, freshUntil = 0 } = pending.get(key) ?? {};
        if (pending.size >= MAX_PENDING && !pending.has(key)) {
            lostAt = seconds();
            return;
        }
        pending.set(key, {
            ...{ requests, isRepeated: true, requestedAt: failed.requestedAt },
            storedAt: Math.max(storedAt, failed.storedAt),
            freshUntil: storedAt > failed.storedAt ? freshUntil : failed.freshUntil,
        });
    }

    async function recordOrEstablish(to: GhostRegistry, batch: readonly KeyEvents[]) {
        const recorded = await to.record(batch, lostAt);
        if (recorded) return recorded;
        await establish(to);
        const again = await to.record(batch, lostAt);
        if (again) return again;
        throw new Error("The ghost registry disappeared");
    }

    /** A registry that this pod knew has been lost, with or without the entries. */
    async function establish(to: GhostRegistry): Promise<void> {
        const isComplete = state === undefined && (await options.hasNoEntries());
        await to.establish(seconds(), isComplete);
    }

    /** @returns the history, completed by what this pod has just recorded */
    function onRecorded(key: string, one: Pending, history: KeyHistory): KeyHistory {
        const { requests, requestedAt, storedAt, freshUntil } = one;
        const { lastRequestAt, needsFetch } = history;
        const completed =
            storedAt > history.storedAt ? { ...history, storedAt, freshUntil } : history;
        if (requests > 0) noteFirstRequest(key, one, lastRequestAt === 0);
        if (requests === 0 || !isFollowed(key)) return completed;
        const group = groupOf(key);
        const each = weight();
        if (lastRequestAt === 0) events.onFirstRequest(group, each);
        else events.onReuse(group, Math.max(0, requestedAt - lastRequestAt), each);
        // All of them are from the same second or so.
        if (requests > 1) events.onReuse(group, 0, (requests - 1) * each);
        events.onFetches(group, needsFetch, each);
        return completed;
    }

    function noteFirstRequest(key: string, one: Pending, isFirst: boolean): void {
        ownFirstRequests.delete(key);
        if (isFirst && !one.isRepeated) ownFirstRequests.set(key, one.requestedAt);
        const isOld = (at: number): boolean => at < seconds() - REQUEST_SECONDS;
        for (const [oldest, at] of ownFirstRequests) {
            if (!isOld(at) && ownFirstRequests.size <= MAX_PENDING) break;
            ownFirstRequests.delete(oldest);
        }
    }

    async function flush(): Promise<void> {
        if (!registry || pending.size === 0 || !isAvailable()) return;
        const batch = pending;
        pending = new Map();
        await send(registry, batch);
        if (!registry.isFull() && seconds() < tidiedAt + TIDY_SECONDS) return;
        tidiedAt = seconds();
        await registry.tidy(tidiedAt).catch((error: unknown) => {
            log.debug({ error: String(error) }, "The ghost registry could not be pruned");
        });
    }

    const flushNext = (): Promise<unknown> => (last = last.then(flush));

    return {
        record,
        onStored,
        explain,
        start: async () => {
            timer = setInterval(() => detach(flushNext()), FLUSH_MILLISECONDS).unref();
            if (!registry || !isAvailable()) return;
            // Before the first entry: an empty Redis has no history that is unknown.
            try {
                state = (await recordOrEstablish(registry, [])).state;
            } catch (error) {
                log.debug({ error: String(error) }, "The ghost registry could not be read");
            }
        },
        stop: async () => {
            clearInterval(timer);
            await flushNext();
        },
    };
}

const createPending = (): Pending => ({
    ...{ requests: 0, requestedAt: 0, storedAt: 0, freshUntil: 0 },
    isRepeated: false,
});
