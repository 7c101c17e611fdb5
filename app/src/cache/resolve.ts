import type { CacheStatus } from "@property-search/contract";

import type { Input } from "../input.ts";
import type { Scope } from "../scope.ts";
import { UpstreamError, type Upstream } from "../upstream/upstream.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { Flight, Flights } from "./flights.ts";
import type { LocalCache, SharedCache } from "./tiers.ts";

export interface Item {
    readonly key: string;
    readonly input: Input;
}

export interface Resolved {
    readonly embedding: Embedding;
    readonly status: CacheStatus;
}

export interface Resolver {
    /** The whole request from this process's cache, or undefined when one item is not there. */
    readonly local: (items: readonly Item[]) => readonly Resolved[] | undefined;
    /**
     * One resolved item per item, in their order, whatever mix of duplicates, hits and misses it is.
     *
     * @throws UpstreamError when one of them cannot be had; what was had is cached all the same.
     */
    readonly resolve: (items: readonly Item[], scope: Scope) => Promise<readonly Resolved[]>;
}

export interface ResolverParts {
    readonly local: LocalCache;
    readonly shared: SharedCache;
    readonly flights: Flights;
    readonly upstream: Pick<Upstream, "embed" | "dimensions">;
    /** Told after each call of the upstream: also when its request fails for another of its items. */
    readonly billed: (tokens: number) => void;
}

export function resolver(parts: ResolverParts): Resolver {
    const { local, shared, flights, upstream, billed } = parts;

    function fromLocal(items: readonly Item[]): readonly Resolved[] | undefined {
        const resolved: Resolved[] = [];
        for (const { key } of items) {
            const embedding = local.get(key);
            if (embedding === undefined) return undefined;
            resolved.push({ embedding, status: "HIT-L1" });
        }
        return resolved;
    }

    async function resolve(items: readonly Item[], scope: Scope): Promise<readonly Resolved[]> {
        const found = new Map<string, Resolved>();
        const led = new Map<string, { item: Item; flight: Flight }>();
        const followed = new Map<string, { item: Item; flight: Flight }>();
        for (const item of items) {
            const { key } = item;
            if (found.has(key) || led.has(key) || followed.has(key)) continue;
            const embedding = local.get(key);
            const flight = flights.of(key);
            if (embedding) found.set(key, { embedding, status: "HIT-L1" });
            else if (flight) followed.set(key, { item, flight });
            else led.set(key, { item, flight: flights.begin(key) });
        }
        const parts = [lead([...led.values()], scope), follow([...followed.values()])];
        for (const part of await Promise.all(parts)) {
            for (const [key, resolved] of part) found.set(key, resolved);
        }
        return inOrder(items, found);

        /** A batch refused for one bad item says nothing about the others: these are tried again. */
        async function follow(
            followers: readonly { item: Item; flight: Flight }[],
        ): Promise<readonly (readonly [string, Resolved])[]> {
            const refused: Item[] = [];
            const landed = await Promise.all(
                followers.map(async ({ item, flight }) => {
                    try {
                        const embedding = await flight.landed;
                        return [[item.key, { embedding, status: "COALESCED" }]] as const;
                    } catch (error) {
                        if (!(error instanceof UpstreamError) || error.status !== 400) throw error;
                        refused.push(item);
                        return [];
                    }
                }),
            );
            const again = refused.length > 0 ? await resolve(refused, scope) : [];
            return [
                ...landed.flat(),
                ...refused.map(
                    (item, index) => [item.key, required(again[index], item.key)] as const,
                ),
            ];
        }
    }

    async function lead(
        leaders: readonly { item: Item; flight: Flight }[],
        scope: Scope,
    ): Promise<readonly (readonly [string, Resolved])[]> {
        if (leaders.length === 0) return [];
        const wanted = scope.dimensions ?? upstream.dimensions();
        const resolved: (readonly [string, Resolved])[] = [];
        try {
            const keys = leaders.map(({ item }) => item.key);
            const stored = await shared.read(keys, wanted);
            for (const { item, flight } of leaders) {
                const embedding = stored.get(item.key);
                if (embedding === undefined) continue;
                settle(item, flight, embedding, "HIT-L2");
            }
            const misses = leaders.filter(({ item }) => !stored.has(item.key));
            if (misses.length > 0) await embed(misses);
        } catch (error) {
            // Flights that have landed ignore it.
            for (const { flight } of leaders) flight.fail(error);
            throw error;
        }
        return resolved;

        async function embed(misses: typeof leaders): Promise<void> {
            const embeddings = await upstream.embed(
                misses.map(({ item }) => item.input),
                scope,
            );
            billed(embeddings.reduce((sum, { tokens }) => sum + tokens, 0));
            const entries = misses.map(({ item, flight }, index) => {
                const embedding = required(embeddings[index], item.key);
                settle(item, flight, embedding, "MISS");
                return [item.key, embedding] as const;
            });
            shared.write(entries);
        }

        function settle(
            { key }: Item,
            flight: Flight,
            embedding: Embedding,
            status: CacheStatus,
        ): void {
            local.set(key, embedding);
            flight.land(embedding);
            resolved.push([key, { embedding, status }]);
        }
    }

    return { local: fromLocal, resolve };
}

/** A second copy of an item that went upstream in this request did not go there itself. */
function inOrder(
    items: readonly Item[],
    found: ReadonlyMap<string, Resolved>,
): readonly Resolved[] {
    const seen = new Set<string>();
    return items.map(({ key }) => {
        const resolved = required(found.get(key), key);
        const repeated = seen.has(key);
        seen.add(key);
        return repeated && resolved.status === "MISS"
            ? { embedding: resolved.embedding, status: "COALESCED" }
            : resolved;
    });
}

function required<T>(value: T | undefined, key: string): T {
    if (value === undefined) throw new Error(`No embedding for the key ${key}`);
    return value;
}
