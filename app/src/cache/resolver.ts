import { nextBulkTurn } from "../bulkTurn.ts";
import { wallClock } from "../clock.ts";
import { detach } from "../detach.ts";
import type { LookupContext, RequestContext } from "../requestContext.ts";
import { UpstreamError } from "../upstream/upstream.ts";
import type { Item, ResolvedItem } from "./item.ts";
import {
    createLeader,
    type LeaderDependencies,
    type Resolution,
    type SharedCopies,
} from "./leader.ts";
import { waitForFlights, type LedLookup } from "./waitForFlights.ts";

export interface Resolver {
    /**
     * Begins every client request: resolves all items from the local cache; undefined if one of them is missing
     * or stale.
     */
    readonly local: (
        items: readonly Item[],
        context: LookupContext,
    ) => readonly ResolvedItem[] | undefined;
    /**
     * Resolves all items in order, for any mix of duplicates, hits and misses.
     *
     * @param known what the shared cache has just answered
     * @throws UpstreamError with the index of an item that failed; items that succeeded are cached
     */
    readonly resolve: (
        items: readonly Item[],
        context: RequestContext,
        known?: SharedCopies,
    ) => Promise<readonly ResolvedItem[]>;
    /** For bulk work: one result per item; a failed item does not affect the others. */
    readonly resolveEach: (
        items: readonly Item[],
        context: RequestContext,
        known?: SharedCopies,
    ) => Promise<readonly ItemResult[]>;
}

/** A batch of 2,048 misses would start all of its lookups in one turn. */
const MAX_LOOKUPS_IN_TURN = 256;

export type ItemResult = ResolvedItem | Error;

export type ResolverDependencies = LeaderDependencies;

/** Resolves items through the tiers in order: local cache, Redis, a fetch of another pod, the upstream. */
export function createResolver(dependencies: ResolverDependencies): Resolver {
    const { local, singleFlight } = dependencies;
    const { lead, onHit } = createLeader(dependencies);

    function resolveLocally(
        items: readonly Item[],
        context: LookupContext,
    ): readonly ResolvedItem[] | undefined {
        for (const { key } of items) local.recordRequest(key);
        const resolved: ResolvedItem[] = [];
        const now = wallClock();
        for (const item of items) {
            const embedding = local.get(item.key);
            if (embedding === undefined || embedding.freshUntil <= now) return undefined;
            onHit(item, embedding, context);
            resolved.push({ embedding, status: "HIT-L1" });
        }
        return resolved;
    }

    async function resolve(
        items: readonly Item[],
        context: RequestContext,
        known?: SharedCopies,
    ): Promise<readonly ResolvedItem[]> {
        return (await resolveEach(items, context, known)).map((result) => {
            if (result instanceof Error) throw result;
            return result;
        });
    }

    async function resolveEach(
        items: readonly Item[],
        context: RequestContext,
        known?: SharedCopies,
    ): Promise<readonly ItemResult[]> {
        const resolution: Resolution = {
            context,
            found: new Map(),
            failed: new Map(),
            misses: new Map(),
        };
        const { found } = resolution;
        const pending = new Map<string, LedLookup>();
        const now = wallClock();
        for (const [index, item] of items.entries()) {
            if (index % MAX_LOOKUPS_IN_TURN === 0 && index > 0) await nextBulkTurn();
            const { key } = item;
            if (found.has(key) || pending.has(key)) continue;
            const embedding = local.get(key);
            if (embedding && embedding.freshUntil > now) {
                onHit(item, embedding, context);
                found.set(key, { embedding, status: "HIT-L1" });
                continue;
            }
            const lookup = startOrJoin(item, context.deadline);
            lookup.flight.stale ??= embedding;
            pending.set(key, lookup);
        }
        if (pending.size > 0) {
            const lookups = [...pending.values()];
            const leading = lookups.filter(({ isLeading }) => isLeading);
            detach(lead(leading, resolution, known));
            await waitForFlights(lookups, resolution, (item) => {
                const lookup = startOrJoin(item, context.deadline);
                if (lookup.isLeading) detach(lead([lookup], resolution));
                return lookup;
            });
        }
        return toResults(items, resolution);
    }

    function startOrJoin(item: Item, deadline: number): LedLookup {
        const other = singleFlight.get(item.key);
        const flight = other ?? singleFlight.start(item.key, deadline);
        return { item, flight, isLeading: other === undefined };
    }

    return { local: resolveLocally, resolve, resolveEach };
}

/** The second occurrence of an item that was fetched in this request counts as coalesced. */
function toResults(
    items: readonly Item[],
    { found, failed, misses }: Resolution,
): readonly ItemResult[] {
    const seen = new Set<string>();
    return items.map(({ key }, index) => {
        const resolved = found.get(key);
        if (!resolved) return toError(failed.get(key), index);
        const isRepeated = seen.has(key);
        seen.add(key);
        // A stale entry may have been served meanwhile.
        if (resolved.status !== "MISS") return resolved;
        if (isRepeated) return { embedding: resolved.embedding, status: "COALESCED" };
        const countReason = misses.get(key);
        return countReason ? { ...resolved, countReason } : resolved;
    });
}

function toError(error: unknown, index: number): Error {
    if (error instanceof UpstreamError) return error.withItem(index);
    return error instanceof Error ? error : new Error(`Item ${index} was not resolved`);
}
