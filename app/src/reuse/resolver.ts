import type { CacheMode } from "@property-search/contract";

import type { Item, ResolvedItem } from "../cache/item.ts";
import type { SharedCopies } from "../cache/leader.ts";
import type { ItemResult, Resolver } from "../cache/resolver.ts";
import type { LocalCache, SharedCache } from "../cache/tiers.ts";
import { wallClock } from "../clock.ts";
import type { LookupContext, RequestContext } from "../requestContext.ts";
import { withSpan } from "../tracing/tracing.ts";
import { UpstreamError } from "../upstream/upstream.ts";
import type { LookupResult, Reuse } from "./reuse.ts";

export interface ReuseResolverDependencies {
    readonly reuse: Pick<Reuse, "onExactHits" | "isApplicable" | "lookUp" | "learn">;
    readonly local: Pick<LocalCache, "get">;
    readonly shared: Pick<SharedCache, "read">;
    /** Mode of each text, if an experiment varies it. */
    readonly cacheModeOf?: ((key: string) => CacheMode) | undefined;
    /** Native dimensions of the model, if known. */
    readonly dimensions: () => number | undefined;
}

/** The results of a request so far, by place. */
type Results = (ItemResult | undefined)[];

/**
 * Answers items of requests in semantic mode that neither cache has from similar texts. All other items are resolved
 * as before, and so are these if no answer is permitted, or none is known in time. Answers are not cached: a request in
 * exact mode must not get one.
 */
export function withReuse(
    inner: Resolver,
    { reuse, local, shared, dimensions, cacheModeOf }: ReuseResolverDependencies,
): Resolver {
    /** The items that may be answered from similar texts. */
    function chooseItems(
        items: readonly Item[],
        { cacheMode = "exact" }: LookupContext,
    ): readonly Item[] {
        if (cacheMode !== "by text") return cacheMode === "semantic" ? items : [];
        return items.filter(({ key }) => cacheModeOf?.(key) === "semantic");
    }

    /** Reads Redis once for a request: a Redis that stalls must not be waited for twice. */
    async function readCopies(
        items: readonly Item[],
        context: RequestContext,
    ): Promise<SharedCopies> {
        const now = wallClock();
        const absent = items.filter(({ key }) => (local.get(key)?.freshUntil ?? 0) <= now);
        if (absent.length === 0) return new Map();
        const keys = absent.map(({ key }) => key);
        const stored = await withSpan(context.span, "redis read", () =>
            shared.read(keys, context.dimensions ?? dimensions()),
        );
        return new Map(keys.map((key) => [key, stored.get(key)]));
    }

    async function resolve(
        items: readonly Item[],
        context: RequestContext,
    ): Promise<readonly ResolvedItem[]> {
        const chosen = chooseItems(items, context);
        if (chosen.length === 0 || !reuse.isApplicable(items, context))
            return inner.resolve(items, context);
        const copies = await readCopies(chosen, context);
        const now = wallClock();
        const isMiss = (key: string): boolean =>
            copies.has(key) && (copies.get(key)?.freshUntil ?? 0) <= now;
        const byKey = new Map(chosen.map((item) => [item.key, item]));
        const missing = [...byKey.values()].filter(({ key }) => isMiss(key));
        reuse.onExactHits(context, byKey.size - missing.length);
        if (missing.length === 0) return inner.resolve(items, context, copies);
        const lookups = await withSpan(context.span, "semantic lookup", () =>
            reuse.lookUp(missing, context),
        );
        return resolveRest(items, context, lookups, copies);
    }

    async function resolveRest(
        items: readonly Item[],
        context: RequestContext,
        lookups: ReadonlyMap<string, LookupResult>,
        copies: SharedCopies,
    ): Promise<readonly ResolvedItem[]> {
        const results: Results = items.map(({ key }) => lookups.get(key)?.resolved);
        const open = [...items.keys()].filter((place) => results[place] === undefined);
        const isAudit = (place: number): boolean =>
            lookups.get(items[place]?.key ?? "")?.isAudit === true;
        await Promise.all([
            resolvePlaces(
                open.filter((place) => !isAudit(place)),
                context,
            ),
            resolvePlaces(open.filter(isAudit), { ...context, purpose: "audit" }),
        ]);
        const resolved = results.map((result) => {
            if (result === undefined) throw new Error("An item was not resolved");
            if (result instanceof Error) throw result;
            return result;
        });
        reuse.learn(
            items.flatMap(({ key }, place) => {
                const [one, text] = [resolved[place], lookups.get(key)];
                return one?.status === "MISS" && text ? [{ key, lookup: text, ...one }] : [];
            }),
            context,
        );
        return resolved;

        async function resolvePlaces(
            places: readonly number[],
            purposed: RequestContext,
        ): Promise<void> {
            if (places.length === 0) return;
            const wanted = places.flatMap((place) => items[place] ?? []);
            const found = await inner.resolveEach(wanted, purposed, copies);
            places.forEach((place, at) => {
                const one = found[at];
                // An error names the place of the item in the request.
                results[place] = one instanceof UpstreamError ? one.withItem(place) : one;
            });
        }
    }

    return {
        ...inner,
        resolve,
        local: (items, context) => {
            const found = inner.local(items, context);
            if (found && context.cacheMode !== "exact")
                reuse.onExactHits(context, chooseItems(items, context).length);
            return found;
        },
    };
}
