import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import type { CacheStatus } from "@property-search/contract";

import { wallClock } from "../clock.ts";
import type { LookupScope, Scope } from "../scope.ts";
import { traced } from "../tracing/tracing.ts";
import { UpstreamError, type Upstream } from "../upstream/upstream.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { Flight, Flights } from "./flights.ts";
import type { Item, Resolved } from "./item.ts";
import type { Origin } from "./origin.ts";
import { refresher } from "./refresh.ts";
import type { LocalCache, SharedCache } from "./tiers.ts";

export interface Resolver {
    /** The whole request from this process's cache, or undefined when one item is not fresh there. */
    readonly local: (items: readonly Item[], scope: LookupScope) => readonly Resolved[] | undefined;
    /**
     * One resolved item per item, in their order, whatever mix of duplicates, hits and misses it is.
     *
     * @throws UpstreamError when one of them cannot be had, with its place; what was had is cached all
     * the same.
     */
    readonly resolve: (items: readonly Item[], scope: Scope) => Promise<readonly Resolved[]>;
    /** The same for bulk work: one fate per item, and an item that fails takes no other with it. */
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

interface Leader {
    readonly item: Item;
    readonly flight: Flight;
}

/** How long one pod may be the only one that fetches a key. */
const LEASE_MILLISECONDS = 5_000;
/** A lease stays a moment after its entry was written, for pods that looked just before that. */
const LINGER_MILLISECONDS = 200;
/** Longest share of a request's time that is spent waiting for another pod. */
const WAIT_SHARE = 0.4;
const FIRST_POLL_MILLISECONDS = 2;
const LONGEST_POLL_MILLISECONDS = 50;

/** The tiers in their order: this process, Redis, another pod that is already asking, the upstream. */
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
        const stale = new Map<string, Embedding>();
        const failed = new Map<string, unknown>();
        const led = new Map<string, Leader>();
        const followed = new Map<string, Flight>();
        const now = wallClock();
        for (const item of items) {
            const { key } = item;
            if (found.has(key) || led.has(key) || followed.has(key)) continue;
            const embedding = local.get(key);
            if (embedding && embedding.freshUntil > now) {
                refresh.hit(item, embedding, scope);
                found.set(key, { embedding, status: "HIT-L1" });
                continue;
            }
            if (embedding) stale.set(key, embedding);
            const flight = flights.of(key);
            if (flight) followed.set(key, flight);
            else led.set(key, { item, flight: flights.begin(key) });
        }
        await Promise.all([lead([...led.values()]), ...[...followed].map(follow)]);
        return inOrder(items, found, failed);

        async function follow([key, flight]: readonly [string, Flight]): Promise<void> {
            try {
                found.set(key, { embedding: await flight.landed, status: "COALESCED" });
            } catch (error) {
                failed.set(key, error);
            }
        }

        /** Whatever happens, no flight is left open: others wait for it. */
        async function lead(leaders: readonly Leader[]): Promise<void> {
            try {
                await leadTo(leaders);
            } catch (error) {
                for (const { item, flight } of leaders) {
                    if (found.has(item.key)) continue;
                    failed.set(item.key, error);
                    flight.fail(error);
                }
            }
        }

        async function leadTo(leaders: readonly Leader[]): Promise<void> {
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

        /** @returns those that Redis does not have, or has only stale */
        async function readShared(
            leaders: readonly Leader[],
            status: CacheStatus,
        ): Promise<readonly Leader[]> {
            const keys = leaders.map(({ item }) => item.key);
            const stored = await traced(scope.span, "redis read", () =>
                shared.read(keys, scope.dimensions ?? upstream.dimensions()),
            );
            const now = wallClock();
            return leaders.filter((leader) => {
                const { item } = leader;
                const embedding = stored.get(item.key);
                if (embedding === undefined) return true;
                if (embedding.freshUntil <= now) {
                    stale.set(item.key, embedding);
                    return true;
                }
                refresh.hit(item, embedding, scope);
                settle(leader, embedding, status);
                return false;
            });
        }

        /** Another pod is fetching these: waits for it, but not for ever, and takes over if it gives up. */
        async function waitForOthers(leaders: readonly Leader[]): Promise<void> {
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

        async function fetch(leaders: readonly Leader[], token: string): Promise<void> {
            if (leaders.length === 0) return;
            const outcomes = await origin.embed(
                leaders.map(({ item }) => item),
                scope,
            );
            const sealed = [...outcomes.values()].flatMap((outcome) => outcome.sealed ?? []);
            if (sealed.length > 0) shared.write(sealed);
            giveUp(leaders, outcomes, token);
            for (const leader of leaders) {
                const { key } = leader.item;
                const outcome = outcomes.get(key);
                const spare = stale.get(key);
                if (outcome?.sealed) settle(leader, outcome.sealed.embedding, "MISS");
                else if (spare && outcome?.error.status !== 400) settle(leader, spare, "STALE");
                else {
                    failed.set(key, outcome?.error);
                    leader.flight.fail(outcome?.error);
                }
            }
        }

        function settle({ item, flight }: Leader, embedding: Embedding, status: CacheStatus): void {
            local.set(item.key, embedding);
            flight.land(embedding);
            found.set(item.key, { embedding, status });
        }
    }

    function giveUp(
        leaders: readonly Leader[],
        outcomes: Awaited<ReturnType<Origin["embed"]>>,
        token: string,
    ): void {
        const keys = leaders.map(({ item }) => item.key);
        const made = keys.filter((key) => outcomes.get(key)?.sealed);
        const lost = keys.filter((key) => !outcomes.get(key)?.sealed);
        if (made.length > 0) shared.release(made, token, LINGER_MILLISECONDS);
        if (lost.length > 0) shared.release(lost, token, 0);
    }

    /** One pod renews an entry; the others find the new one when theirs ends. */
    async function renew(item: Item, scope: Scope): Promise<void> {
        const token = randomUUID();
        const won = await shared.lease([item.key], token, LEASE_MILLISECONDS);
        if (!won.has(item.key)) return;
        const outcome = (await origin.embed([item], scope)).get(item.key);
        if (outcome?.sealed) {
            local.set(item.key, outcome.sealed.embedding);
            shared.write([outcome.sealed]);
        }
        shared.release([item.key], token, outcome?.sealed ? LINGER_MILLISECONDS : 0);
    }

    return { local: fromLocal, resolve, resolveEach };
}

/** A second copy of an item that went upstream in this request did not go there itself. */
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
