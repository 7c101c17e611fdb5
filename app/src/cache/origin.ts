import { wallClock } from "../clock.ts";
import type { Input } from "../input.ts";
import type { Scope } from "../requestContext.ts";
import type { Reservation } from "../tenants/tokenBudget.ts";
import { asUpstreamError, UpstreamError, type Upstream } from "../upstream/upstream.ts";
import { createEmbedding, type Embedding } from "../vector/embedding.ts";
import type { EntryCodec, EncodedEntry } from "../vector/entry.ts";
import type { Item } from "./item.ts";
import { refusals } from "./negativeCache.ts";

/** Outcome of one item. */
export type Outcome =
    | { readonly sealed: EncodedEntry; readonly error?: undefined }
    | { readonly sealed?: undefined; readonly error: UpstreamError };

export interface Origin {
    /** Reports one outcome per key as upstream calls complete. */
    readonly embed: (
        items: readonly Item[],
        scope: Scope,
        report: (outcomes: ReadonlyMap<string, Outcome>) => void,
    ) => Promise<void>;
}

export interface OriginParts {
    readonly upstream: Pick<Upstream, "embed">;
    readonly codec: EntryCodec;
    readonly ttlSeconds: number;
    /** Digest of a tenant's key space: see `createSpaceOf`. */
    readonly spaceOf: (tenant: string) => string;
    /**
     * Called after each successful upstream call, even if its request fails because of another item. All
     * calls of a request count as one, because the price per call is a price per request.
     */
    readonly billed: (scope: Scope, tokens: number, calls: 0 | 1) => void;
    /**
     * Called before the first call; undefined: the tenant has no token limit.
     *
     * @throws UpstreamError (rejection) if the tenant's limits do not allow the tokens
     */
    readonly reserve?: (scope: Scope, items: readonly Item[]) => Promise<Reservation> | undefined;
    /** Maps the current time to the creation time of a new entry. Default: identity. */
    readonly stamp?: (now: number) => number;
    /** In [0, 1). */
    readonly random?: () => number;
}

/** Maximum reduction of a lifetime, so that entries created together do not expire together. */
const TTL_JITTER = 0.1;

/** Creates the origin, which calls the upstream and encodes its embeddings as entries. */
export function origin(parts: OriginParts): Origin {
    const { upstream, codec, ttlSeconds, spaceOf, billed } = parts;
    const { reserve = () => undefined, stamp = (now) => now, random = Math.random } = parts;
    const refused = refusals();

    async function embed(
        items: readonly Item[],
        scope: Scope,
        report: (outcomes: ReadonlyMap<string, Outcome>) => void,
    ): Promise<void> {
        const known = new Map<string, Outcome>();
        const open = items.filter(({ key }) => {
            const error = refused.of(key);
            if (error) known.set(key, { error });
            return error === undefined;
        });
        if (known.size > 0) report(known);
        if (open.length === 0) return;
        let reservation: Reservation | undefined;
        let failure: UpstreamError | undefined;
        let isFirst = true;
        const span = scope.span?.child("embed");
        try {
            reservation = await reserve(scope, open);
            const begun = performance.now();
            const inputs = open.map(({ input }) => input);
            await upstream.embed(inputs, { ...scope, span }, (places, answers) => {
                const computeMilliseconds = performance.now() - begun;
                const outcomes = new Map<string, Outcome>();
                const embedded: Input[] = [];
                let tokens = 0;
                for (const [at, place] of places.entries()) {
                    const item = open[place];
                    const answer = answers[at];
                    if (!item || !answer) continue;
                    const { key, input } = item;
                    if (answer instanceof UpstreamError) {
                        failure ??= answer;
                        const isToBlame = answer.status === 400 && !answer.isShared;
                        if (isToBlame) refused.remember(key, answer);
                        outcomes.set(key, { error: answer });
                    } else {
                        tokens += answer.tokens;
                        embedded.push(input);
                        outcomes.set(key, {
                            sealed: seal(key, answer, computeMilliseconds, scope),
                        });
                    }
                }
                if (embedded.length > 0) {
                    billed(scope, tokens, isFirst ? 1 : 0);
                    isFirst = false;
                    reservation?.charge(embedded, tokens);
                }
                report(outcomes);
            });
        } catch (error) {
            failure = asUpstreamError(error);
            throw failure;
        } finally {
            reservation?.end();
            span?.end(undefined, failure);
        }
    }

    function seal(
        key: string,
        embedding: Embedding,
        computeMilliseconds: number,
        { pool }: Scope,
    ): EncodedEntry {
        return codec.encode(key, alive(embedding, computeMilliseconds), spaceOf(pool));
    }

    function alive(made: Embedding, computeMilliseconds: number): Embedding {
        const { vector, tokens, truncated, isUnverified } = made;
        const now = wallClock();
        const freshUntil = now + ttlSeconds * 1000 * (1 - TTL_JITTER * random());
        const life = { createdAt: stamp(now), freshUntil, computeMilliseconds };
        const embedding = createEmbedding(vector, tokens, truncated, life);
        return isUnverified ? { ...embedding, isUnverified } : embedding;
    }

    return { embed };
}
