import { wallClock } from "../clock.ts";
import type { Input } from "../input.ts";
import type { RequestContext } from "../requestContext.ts";
import type { Reservation } from "../tenants/tokenBudget.ts";
import { toUpstreamError, UpstreamError, type Upstream } from "../upstream/upstream.ts";
import { createEmbedding, type Embedding } from "../vector/embedding.ts";
import type { EntryCodec, EncodedEntry } from "../vector/entry.ts";
import type { Item } from "./item.ts";
import { createNegativeCache } from "./negativeCache.ts";

/** Outcome of one item. */
export type Outcome =
    | { readonly encoded: EncodedEntry; readonly error?: undefined }
    | { readonly encoded?: undefined; readonly error: UpstreamError };

export interface Origin {
    /** Reports one outcome per key as upstream calls complete. */
    readonly embed: (
        items: readonly Item[],
        context: RequestContext,
        report: (outcomes: ReadonlyMap<string, Outcome>) => void,
    ) => Promise<void>;
}

export interface OriginDependencies {
    readonly upstream: Pick<Upstream, "embed">;
    readonly codec: EntryCodec;
    /** How long the entry of a key is fresh. */
    readonly ttlSecondsOf: (key: string) => number;
    /** Digest of a tenant's key space: see `createSpaceOf`. */
    readonly spaceOf: (tenant: string) => string;
    /**
     * Called after each successful upstream call, even if its request fails because of another item. All
     * calls of a request count as one, because the price per call is a price per request.
     */
    readonly onBilled: (context: RequestContext, tokens: number, calls: 0 | 1) => void;
    /**
     * Called before the first call; undefined: the tenant has no token limit.
     *
     * @throws UpstreamError (rejection) if the tenant's limits do not allow the tokens
     */
    readonly reserve?: (
        context: RequestContext,
        items: readonly Item[],
    ) => Promise<Reservation> | undefined;
    /** Maps the current time to the creation time of a new entry. Default: identity. */
    readonly stamp?: (now: number) => number;
    /** In [0, 1). */
    readonly random?: () => number;
}

/** Maximum reduction of a lifetime, so that entries created together do not expire together. */
const TTL_JITTER = 0.1;

/** Creates the origin, which calls the upstream and encodes its embeddings as entries. */
export function createOrigin(dependencies: OriginDependencies): Origin {
    const { upstream, codec, ttlSecondsOf, spaceOf, onBilled } = dependencies;
    const { reserve = () => undefined, stamp = (now) => now, random = Math.random } = dependencies;
    const negativeCache = createNegativeCache();

    async function embed(
        items: readonly Item[],
        context: RequestContext,
        report: (outcomes: ReadonlyMap<string, Outcome>) => void,
    ): Promise<void> {
        const known = new Map<string, Outcome>();
        const pending = items.filter(({ key }) => {
            const error = negativeCache.get(key);
            if (error) known.set(key, { error });
            return error === undefined;
        });
        if (known.size > 0) report(known);
        if (pending.length === 0) return;
        let reservation: Reservation | undefined;
        let failure: UpstreamError | undefined;
        let isFirst = true;
        const span = context.span?.child("embed");
        try {
            reservation = await reserve(context, pending);
            const start = performance.now();
            const inputs = pending.map(({ input }) => input);
            await upstream.embed(inputs, { ...context, span }, (places, results) => {
                const computeMilliseconds = performance.now() - start;
                const outcomes = new Map<string, Outcome>();
                const embedded: Input[] = [];
                let tokens = 0;
                for (const [at, place] of places.entries()) {
                    const item = pending[place];
                    const result = results[at];
                    if (!item || !result) continue;
                    const { key, input } = item;
                    if (result instanceof UpstreamError) {
                        failure ??= result;
                        const isItemAtFault = result.status === 400 && !result.isUncertain;
                        if (isItemAtFault) negativeCache.set(key, result);
                        outcomes.set(key, { error: result });
                    } else {
                        tokens += result.tokens;
                        embedded.push(input);
                        outcomes.set(key, {
                            encoded: encode(key, result, computeMilliseconds, context),
                        });
                    }
                }
                if (embedded.length > 0) {
                    onBilled(context, tokens, isFirst ? 1 : 0);
                    isFirst = false;
                    reservation?.charge(embedded, tokens);
                }
                report(outcomes);
            });
        } catch (error) {
            failure = toUpstreamError(error);
            throw failure;
        } finally {
            reservation?.end();
            span?.end(undefined, failure);
        }
    }

    function encode(
        key: string,
        embedding: Embedding,
        computeMilliseconds: number,
        { pool }: RequestContext,
    ): EncodedEntry {
        return codec.encode(key, withLifetime(key, embedding, computeMilliseconds), spaceOf(pool));
    }

    function withLifetime(key: string, source: Embedding, computeMilliseconds: number): Embedding {
        const { vector, tokens, truncated, isUnverified } = source;
        const now = wallClock();
        const freshUntil = now + ttlSecondsOf(key) * 1000 * (1 - TTL_JITTER * random());
        const lifetime = { createdAt: stamp(now), freshUntil, computeMilliseconds };
        const embedding = createEmbedding(vector, tokens, truncated, lifetime);
        return isUnverified ? { ...embedding, isUnverified } : embedding;
    }

    return { embed };
}
