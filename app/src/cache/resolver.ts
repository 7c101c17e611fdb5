import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import type { CacheStatus } from "@property-search/contract";

import { detach } from "../detach.ts";
import { wallClock } from "../clock.ts";
import type { LookupScope, Scope } from "../requestContext.ts";
import { LimitError } from "../tenants/limitError.ts";
import { traced } from "../tracing/tracing.ts";
import { outOfTime, UpstreamError, type Upstream } from "../upstream/upstream.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { Flight, Flights } from "./singleFlight.ts";
import type { Item, Resolved } from "./item.ts";
import type { Origin, Outcome } from "./origin.ts";
import { refresher } from "./earlyRefresh.ts";
import type { LocalCache, SharedCache } from "./tiers.ts";

export interface Resolver {
    /** Resolves all items from the local cache; undefined if one of them is missing or stale. */
    readonly local: (items: readonly Item[], scope: LookupScope) => readonly Resolved[] | undefined;
    /**
     * Resolves all items in order, for any mix of duplicates, hits and misses.
     *
     * @throws UpstreamError with the index of an item that failed; items that succeeded are cached
     */
    readonly resolve: (items: readonly Item[], scope: Scope) => Promise<readonly Resolved[]>;
    /** For bulk work: one result per item; a failed item does not affect the others. */
    readonly resolveEach: (items: readonly Item[], scope: Scope) => Promise<readonly Fate[]>;
}

export type Fate = Resolved | Error;

export interface ResolverParts {
    readonly local: LocalCache;
    readonly shared: SharedCache;
    readonly flights: Flights;
    readonly upstream: Pick<Upstream, "dimensions">;
    readonly origin: Origin;
}

interface Wanted {
    readonly item: Item;
    readonly flight: Flight;
}

/** How long one pod may fetch a key exclusively. */
const LEASE_MILLISECONDS = 5_000;
/** A lease outlives the write of its entry, for pods that read Redis just before it. */
const LINGER_MILLISECONDS = 200;
/** Maximum share of a request's remaining time spent waiting for another pod. */
const WAIT_SHARE = 0.4;
const FIRST_POLL_MILLISECONDS = 2;
const LONGEST_POLL_MILLISECONDS = 50;
/**
 * If the upstream takes longer than this, a stale entry is served while the fetch continues (RFC 5861,
 * stale-while-revalidate).
 */
const STALE_AFTER_MILLISECONDS = 500;
/** A request whose deadline is later than the leader's by this much retries after the leader's timeout. */
const MORE_TIME_MILLISECONDS = 500;

/** Resolves items through the tiers in order: local cache, Redis, a fetch of another pod, the upstream. */
export function resolver(parts: ResolverParts): Resolver {
    const { local, shared, flights, upstream, origin } = parts;
    const refresh = refresher(renew);

    function fromLocal(
        items: readonly Item[],
        scope: LookupScope,
    ): readonly Resolved[] | undefined {
        const resolved: Resolved[] = [];
        const now = wallClock();
        for (const item of items) {
            const embedding = local.get(item.key);
            if (embedding === undefined || embedding.freshUntil <= now) return undefined;
            refresh.hit(item, embedding, scope);
            resolved.push({ embedding, status: "HIT-L1" });
        }
        return resolved;
    }

    async function resolve(items: readonly Item[], scope: Scope): Promise<readonly Resolved[]> {
        return (await resolveEach(items, scope)).map((fate) => {
            if (fate instanceof Error) throw fate;
            return fate;
        });
    }

    async function resolveEach(items: readonly Item[], scope: Scope): Promise<readonly Fate[]> {
        const found = new Map<string, Resolved>();
        const failed = new Map<string, unknown>();
        const own: Wanted[] = [];
        const joined: Wanted[] = [];
        const awaited = new Set<string>();
        const now = wallClock();
        for (const item of items) {
            const { key } = item;
            if (found.has(key) || awaited.has(key)) continue;
            const embedding = local.get(key);
            if (embedding && embedding.freshUntil > now) {
                refresh.hit(item, embedding, scope);
                found.set(key, { embedding, status: "HIT-L1" });
                continue;
            }
            const other = flights.of(key);
            const flight = other ?? flights.begin(key, scope.deadline);
            flight.stale ??= embedding;
            (other ? joined : own).push({ item, flight });
            awaited.add(key);
        }
        if (awaited.size > 0) {
            detach(lead(own));
            await waitFor(own, joined);
        }
        return inOrder(items, found, failed);

        /** Waits until this request's own deadline, whatever the deadlines of the flights that it joined. */
        async function waitFor(led: readonly Wanted[], followed: readonly Wanted[]): Promise<void> {
            const open = new Set([...led, ...followed]);
            const { promise: allLanded, resolve: onAllLanded } = Promise.withResolvers<undefined>();
            for (const wanted of led) detach(landing(wanted, wanted.flight, true));
            for (const wanted of followed) detach(landing(wanted, wanted.flight, false));
            const lastBegunAt = Math.max(...[...open].map(({ flight }) => flight.begunAt));
            const patience = Math.min(lastBegunAt + STALE_AFTER_MILLISECONDS, scope.deadline);
            await until(allLanded, patience);
            for (const wanted of open) takeStale(wanted);
            if (open.size === 0) return;
            await until(allLanded, scope.deadline);
            for (const wanted of open) {
                if (!takeStale(wanted)) failed.set(wanted.item.key, outOfTime());
                open.delete(wanted);
            }

            function takeStale(wanted: Wanted): boolean {
                const { item, flight } = wanted;
                if (!flight.stale) return false;
                found.set(item.key, { embedding: flight.stale, status: "STALE" });
                open.delete(wanted);
                return true;
            }

            async function landing(wanted: Wanted, flight: Flight, isOwn: boolean): Promise<void> {
                const { item } = wanted;
                const { key } = item;
                try {
                    const embedding = await flight.landed;
                    if (!open.has(wanted)) return;
                    if (!isOwn) found.set(key, { embedding, status: "COALESCED" });
                } catch (error) {
                    if (!open.has(wanted)) return;
                    if (!isOwn && isOfOther(error, flight, scope)) {
                        const other = flights.of(key);
                        const next = other ?? flights.begin(key, scope.deadline);
                        if (!other) detach(lead([{ item, flight: next }]));
                        return landing(wanted, next, other === undefined);
                    }
                    failed.set(key, error);
                }
                open.delete(wanted);
                if (open.size === 0) onAllLanded(undefined);
            }
        }

        /** Never rejects, and settles every flight, because other requests wait for it. */
        async function lead(leaders: readonly Wanted[]): Promise<void> {
            try {
                await leadTo(leaders);
            } catch (error) {
                for (const leader of leaders) if (isOpen(leader)) giveUp(leader, error);
            }
        }

        async function leadTo(leaders: readonly Wanted[]): Promise<void> {
            if (leaders.length === 0) return;
            const misses = await readShared(leaders, "HIT-L2");
            if (misses.length === 0) return;
            const token = randomUUID();
            const keys = misses.map(({ item }) => item.key);
            const won = await traced(scope.span, "redis lease", () =>
                shared.lease(keys, token, LEASE_MILLISECONDS),
            );
            const others = misses.filter(({ item }) => !won.has(item.key));
            await Promise.all([
                fetch(
                    misses.filter(({ item }) => won.has(item.key)),
                    token,
                ),
                others.length > 0 &&
                    traced(scope.span, "wait for another pod", () => waitForOthers(others)),
            ]);
        }

        /** @returns the items that are missing or stale in Redis */
        async function readShared(
            leaders: readonly Wanted[],
            status: CacheStatus,
        ): Promise<readonly Wanted[]> {
            const keys = leaders.map(({ item }) => item.key);
            const stored = await traced(scope.span, "redis read", () =>
                shared.read(keys, scope.dimensions ?? upstream.dimensions()),
            );
            const now = wallClock();
            return leaders.filter((leader) => {
                const { item, flight } = leader;
                const embedding = stored.get(item.key);
                if (embedding === undefined) return true;
                if (embedding.freshUntil <= now) {
                    flight.stale = embedding;
                    return true;
                }
                refresh.hit(item, embedding, scope);
                settle(leader, embedding, status);
                return false;
            });
        }

        /** Waits for the fetch of another pod for a limited time, and takes over if that pod gives up. */
        async function waitForOthers(leaders: readonly Wanted[]): Promise<void> {
            let open = leaders;
            const token = randomUUID();
            const left = (scope.deadline - performance.now()) * WAIT_SHARE;
            const until = performance.now() + Math.min(LEASE_MILLISECONDS, left);
            let pause = FIRST_POLL_MILLISECONDS;
            while (open.length > 0 && performance.now() < until) {
                await wait(pause * (0.5 + Math.random()));
                pause = Math.min(pause * 2, LONGEST_POLL_MILLISECONDS);
                open = await readShared(open, "COALESCED");
                if (open.length === 0) return;
                const keys = open.map(({ item }) => item.key);
                const won = await shared.lease(keys, token, LEASE_MILLISECONDS);
                const mine = open.filter(({ item }) => won.has(item.key));
                open = open.filter(({ item }) => !won.has(item.key));
                if (mine.length > 0) await fetch(mine, token);
            }
            await fetch(open, token);
        }

        /** Stores and reports each partial result as it arrives. */
        async function fetch(leaders: readonly Wanted[], token: string): Promise<void> {
            if (leaders.length === 0) return;
            const byKey = new Map(leaders.map((leader) => [leader.item.key, leader]));
            const items = leaders.map(({ item }) => item);
            const open = new Set(byKey.keys());
            try {
                await origin.embed(items, scope, (outcomes) => {
                    store(outcomes, token);
                    for (const [key, { sealed, error }] of outcomes) {
                        const leader = byKey.get(key);
                        if (!leader) continue;
                        open.delete(key);
                        if (sealed) settle(leader, sealed.embedding, "MISS");
                        else giveUp(leader, error);
                    }
                });
            } finally {
                // A tenant whose limits forbid the fetch must not block other tenants.
                if (open.size > 0) shared.release([...open], token, 0);
            }
        }

        function settle({ item, flight }: Wanted, embedding: Embedding, status: CacheStatus): void {
            local.set(item.key, embedding);
            found.set(item.key, { embedding, status });
            flight.land(embedding);
        }

        function giveUp(leader: Wanted, error: unknown): void {
            const { stale } = leader.flight;
            const isRefused = error instanceof UpstreamError && error.status === 400;
            if (stale && !isRefused) settle(leader, stale, "STALE");
            else leader.flight.fail(error);
        }
    }

    function isOpen({ item, flight }: Wanted): boolean {
        return flights.of(item.key) === flight;
    }

    function store(outcomes: ReadonlyMap<string, Outcome>, token: string): void {
        const made = [...outcomes.values()].flatMap(({ sealed }) => sealed ?? []);
        const shareable = made.filter(({ embedding }) => !embedding.isUnverified);
        const kept = new Set(shareable.map(({ key }) => key));
        const lost = [...outcomes.keys()].filter((key) => !kept.has(key));
        if (kept.size > 0) {
            const release = (): void => shared.release([...kept], token, LINGER_MILLISECONDS);
            detach(shared.write(shareable).finally(release));
        }
        if (lost.length > 0) shared.release(lost, token, 0);
    }

    /** One pod refreshes an entry; the others adopt the stored result. */
    async function renew(item: Item, scope: Scope, old: Embedding): Promise<void> {
        const { key } = item;
        const token = randomUUID();
        const won = await shared.lease([key], token, LEASE_MILLISECONDS);
        if (!won.has(key)) return;
        const stored = await shared.read([key], scope.dimensions ?? upstream.dimensions());
        const newer = stored.get(key);
        if (newer && newer.freshUntil > old.freshUntil) {
            local.set(key, newer);
            shared.release([key], token, 0);
            return;
        }
        await origin.embed([item], scope, (outcomes) => {
            store(outcomes, token);
            const embedding = outcomes.get(key)?.sealed?.embedding;
            if (embedding) local.set(key, embedding);
        });
    }

    return { local: fromLocal, resolve, resolveEach };
}

/** Whether the error concerns the leading request only: its deadline, or its tenant's limits. */
function isOfOther(error: unknown, flight: Flight, scope: Scope): boolean {
    if (error instanceof LimitError) return true;
    const isOfTime = error instanceof UpstreamError && [429, 504].includes(error.status);
    return isOfTime && scope.deadline > flight.deadline + MORE_TIME_MILLISECONDS;
}

/** @param time in milliseconds of `performance.now()` */
async function until(event: Promise<unknown>, time: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise((resolve) => {
        timer = setTimeout(resolve, Math.max(0, time - performance.now())).unref();
    });
    await Promise.race([event, passed]);
    clearTimeout(timer);
}

/** The second occurrence of an item that was fetched in this request counts as coalesced. */
function inOrder(
    items: readonly Item[],
    found: ReadonlyMap<string, Resolved>,
    failed: ReadonlyMap<string, unknown>,
): readonly Fate[] {
    const seen = new Set<string>();
    return items.map(({ key }, index) => {
        const resolved = found.get(key);
        if (!resolved) return atPlace(failed.get(key), index);
        const repeated = seen.has(key);
        seen.add(key);
        return repeated && resolved.status === "MISS"
            ? { embedding: resolved.embedding, status: "COALESCED" }
            : resolved;
    });
}

function atPlace(error: unknown, index: number): Error {
    if (error instanceof UpstreamError) return error.at(index);
    return error instanceof Error ? error : new Error(`Item ${index} was not resolved`);
}
