import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import type { CacheStatus } from "@property-search/contract";

import { wallClock } from "../clock.ts";
import { detach } from "../detach.ts";
import type { RequestContext } from "../requestContext.ts";
import { withSpan } from "../tracing/tracing.ts";
import { UpstreamError, type Upstream } from "../upstream/upstream.ts";
import type { Embedding } from "../vector/embedding.ts";
import { createRefresher, type Refresher } from "./earlyRefresh.ts";
import type { Item, ResolvedItem } from "./item.ts";
import type { Origin, Outcome } from "./origin.ts";
import type { Flight, SingleFlight } from "./singleFlight.ts";
import type { LocalCache, SharedCache } from "./tiers.ts";

export interface LeaderDependencies {
    readonly local: LocalCache;
    readonly shared: SharedCache;
    readonly singleFlight: SingleFlight;
    readonly upstream: Pick<Upstream, "dimensions">;
    readonly origin: Origin;
    /** Default: no reason is counted. */
    readonly explainMisses?: ExplainMisses | undefined;
}

/**
 * Finds out why items missed, before they are fetched.
 *
 * @returns by key what counts the reason, to be called if the response counts a miss; undefined: no reason is counted
 */
export type ExplainMisses = (
    items: readonly Item[],
    context: RequestContext,
) => ReadonlyMap<string, () => void> | undefined;

/** An item of a request, and the flight of its key. */
export interface Lookup {
    readonly item: Item;
    readonly flight: Flight;
}

/** Results of one request so far, by key. */
export interface Resolution {
    readonly context: RequestContext;
    readonly found: Map<string, ResolvedItem>;
    readonly failed: Map<string, unknown>;
    /** By key of a miss: counts its reason. */
    readonly misses: Map<string, () => void>;
}

/** The shared cache's copies of keys that were read a moment ago; undefined: it has none. */
export type SharedCopies = ReadonlyMap<string, Embedding | undefined>;

/** Fetches keys for all requests that wait for them: from Redis, from another pod's fetch, or from the upstream. */
export interface Leader extends Refresher {
    /** Never rejects, and settles every flight, because other requests wait for it. */
    readonly lead: (
        lookups: readonly Lookup[],
        resolution: Resolution,
        known?: SharedCopies,
    ) => Promise<void>;
}

/** How long one pod may fetch a key exclusively. */
const LEASE_MILLISECONDS = 5_000;
/** A lease outlives the write of its entry, for pods that read Redis just before it. */
const LINGER_MILLISECONDS = 200;
/** Maximum share of a request's remaining time spent waiting for another pod. */
const WAIT_SHARE = 0.4;
const FIRST_POLL_MILLISECONDS = 2;
const MAX_POLL_MILLISECONDS = 50;

export function createLeader(dependencies: LeaderDependencies): Leader {
    const { local, shared, singleFlight, upstream, origin, explainMisses } = dependencies;
    const { onHit } = createRefresher(refresh);

    async function lead(
        lookups: readonly Lookup[],
        resolution: Resolution,
        known?: SharedCopies,
    ): Promise<void> {
        try {
            await resolveAll(lookups, resolution, known);
        } catch (error) {
            for (const lookup of lookups) {
                const { item, flight } = lookup;
                const isSettled = singleFlight.get(item.key) !== flight;
                if (!isSettled) serveStaleOrFail(lookup, resolution, error);
            }
        }
    }

    async function resolveAll(
        lookups: readonly Lookup[],
        resolution: Resolution,
        known?: SharedCopies,
    ): Promise<void> {
        if (lookups.length === 0) return;
        const { span } = resolution.context;
        const misses = await readShared(lookups, resolution, "HIT-L2", known);
        if (misses.length === 0) return;
        const token = randomUUID();
        const keys = misses.map(({ item }) => item.key);
        const leased = await withSpan(span, "redis lease", () =>
            shared.acquireLeases(keys, token, LEASE_MILLISECONDS),
        );
        const others = misses.filter(({ item }) => !leased.has(item.key));
        await Promise.all([
            fetch(
                misses.filter(({ item }) => leased.has(item.key)),
                resolution,
                token,
            ),
            others.length > 0 &&
                withSpan(span, "wait for another pod", () => waitForOthers(others, resolution)),
        ]);
    }

    /** @returns the items that are missing or stale in Redis */
    async function readShared(
        lookups: readonly Lookup[],
        resolution: Resolution,
        status: CacheStatus,
        known?: SharedCopies,
    ): Promise<readonly Lookup[]> {
        const { context } = resolution;
        const keys = lookups.flatMap(({ item }) => (known?.has(item.key) ? [] : item.key));
        const stored =
            keys.length === 0
                ? undefined
                : await withSpan(context.span, "redis read", () =>
                      shared.read(keys, context.dimensions ?? upstream.dimensions()),
                  );
        const now = wallClock();
        return lookups.filter((lookup) => {
            const { item, flight } = lookup;
            const embedding = stored?.get(item.key) ?? known?.get(item.key);
            if (embedding === undefined) return true;
            if (embedding.freshUntil <= now) {
                flight.stale = embedding;
                return true;
            }
            onHit(item, embedding, context);
            settle(lookup, resolution, embedding, status);
            return false;
        });
    }

    /** Waits for the fetch of another pod for a limited time, and takes over if that pod gives up. */
    async function waitForOthers(
        lookups: readonly Lookup[],
        resolution: Resolution,
    ): Promise<void> {
        let open = lookups;
        const token = randomUUID();
        const maxWait = (resolution.context.deadline - performance.now()) * WAIT_SHARE;
        const until = performance.now() + Math.min(LEASE_MILLISECONDS, maxWait);
        let pause = FIRST_POLL_MILLISECONDS;
        while (open.length > 0 && performance.now() < until) {
            await wait(pause * (0.5 + Math.random()));
            pause = Math.min(pause * 2, MAX_POLL_MILLISECONDS);
            open = await readShared(open, resolution, "COALESCED");
            if (open.length === 0) return;
            const keys = open.map(({ item }) => item.key);
            const leased = await shared.acquireLeases(keys, token, LEASE_MILLISECONDS);
            const own = open.filter(({ item }) => leased.has(item.key));
            open = open.filter(({ item }) => !leased.has(item.key));
            if (own.length > 0) await fetch(own, resolution, token);
        }
        await fetch(open, resolution, token);
    }

    /** Stores and reports each partial result as it arrives. */
    async function fetch(
        lookups: readonly Lookup[],
        resolution: Resolution,
        token: string,
    ): Promise<void> {
        if (lookups.length === 0) return;
        const byKey = new Map(lookups.map((lookup) => [lookup.item.key, lookup]));
        const items = lookups.map(({ item }) => item);
        const explained = explainMisses?.(items, resolution.context);
        if (explained) for (const [key, count] of explained) resolution.misses.set(key, count);
        const open = new Set(byKey.keys());
        try {
            await origin.embed(items, resolution.context, (outcomes) => {
                store(outcomes, token);
                for (const [key, { encoded, error }] of outcomes) {
                    const lookup = byKey.get(key);
                    if (!lookup) continue;
                    open.delete(key);
                    if (encoded) settle(lookup, resolution, encoded.embedding, "MISS");
                    else serveStaleOrFail(lookup, resolution, error);
                }
            });
        } finally {
            // A tenant whose limits forbid the fetch must not block other tenants.
            if (open.size > 0) shared.releaseLeases([...open], token, 0);
        }
    }

    function settle(
        { item, flight }: Lookup,
        { found }: Resolution,
        embedding: Embedding,
        status: CacheStatus,
    ): void {
        local.set(item.key, embedding);
        found.set(item.key, { embedding, status });
        flight.resolve(embedding);
    }

    function serveStaleOrFail(lookup: Lookup, resolution: Resolution, error: unknown): void {
        const { stale } = lookup.flight;
        const isRejected = error instanceof UpstreamError && error.status === 400;
        if (stale && !isRejected) settle(lookup, resolution, stale, "STALE");
        else lookup.flight.reject(error);
    }

    function store(outcomes: ReadonlyMap<string, Outcome>, token: string): void {
        const entries = [...outcomes.values()].flatMap(({ encoded }) => encoded ?? []);
        const shareable = entries.filter(({ embedding }) => !embedding.isUnverified);
        const stored = new Set(shareable.map(({ key }) => key));
        const notStored = [...outcomes.keys()].filter((key) => !stored.has(key));
        if (stored.size > 0) {
            const release = (): void =>
                shared.releaseLeases([...stored], token, LINGER_MILLISECONDS);
            detach(shared.write(shareable).finally(release));
        }
        if (notStored.length > 0) shared.releaseLeases(notStored, token, 0);
    }

    /** One pod refreshes an entry; the others adopt the stored result. */
    async function refresh(item: Item, context: RequestContext, old: Embedding): Promise<void> {
        const { key } = item;
        const token = randomUUID();
        const leased = await shared.acquireLeases([key], token, LEASE_MILLISECONDS);
        if (!leased.has(key)) return;
        const stored = await shared.read([key], context.dimensions ?? upstream.dimensions());
        const newer = stored.get(key);
        if (newer && newer.freshUntil > old.freshUntil) {
            local.set(key, newer);
            shared.releaseLeases([key], token, 0);
            return;
        }
        const lease = { isHandedOn: false };
        try {
            await origin.embed([item], context, (outcomes) => {
                lease.isHandedOn = true;
                store(outcomes, token);
                const embedding = outcomes.get(key)?.encoded?.embedding;
                if (embedding) local.set(key, embedding);
            });
        } finally {
            // The limits of a tenant may forbid it.
            if (!lease.isHandedOn) shared.releaseLeases([key], token, 0);
        }
    }

    return { lead, onHit };
}
