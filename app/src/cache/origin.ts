import { wallClock } from "../clock.ts";
import type { Input } from "../input.ts";
import type { Scope } from "../scope.ts";
import type { Reservation } from "../tenants/tokenBudget.ts";
import { asUpstreamError, UpstreamError, type Upstream } from "../upstream/upstream.ts";
import { embeddingOf, type Embedding } from "../vector/embedding.ts";
import type { EntryCodec, Sealed } from "../vector/entry.ts";
import type { Item } from "./item.ts";
import { refusals } from "./refusals.ts";

/** What became of one item. */
export type Outcome =
    | { readonly sealed: Sealed; readonly error?: undefined }
    | { readonly sealed?: undefined; readonly error: UpstreamError };

export interface Origin {
    /** Reports one outcome per key, as calls of the upstream are answered. */
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
    /** Digest of a tenant's space of keys: see `spaceDigests`. */
    readonly spaceOf: (tenant: string) => string;
    /**
     * Told after each call that was answered: also when its request fails for another of its items. The
     * calls of one request are one: where calls have a price, it is that of a request.
     */
    readonly billed: (scope: Scope, tokens: number, calls: 0 | 1) => void;
    /**
     * Asked before the first call for some items; undefined: its tenant has no limit on tokens.
     *
     * @throws UpstreamError (rejection) when the tenant may not use so many tokens
     */
    readonly reserve?: (scope: Scope, items: readonly Item[]) => Promise<Reservation> | undefined;
    /** The time that an entry made now is given as that of its making; default: now. */
    readonly stamp?: (now: number) => number;
    /** In [0, 1). */
    readonly random?: () => number;
}

/** Up to this share is taken off a lifetime, so that what was made together does not expire so. */
const TTL_JITTER = 0.1;

/** The upstream, and what makes an entry of its answer. */
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
                const effort = performance.now() - begun;
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
                        outcomes.set(key, { sealed: seal(key, answer, effort, scope) });
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

    function seal(key: string, embedding: Embedding, effort: number, { pool }: Scope): Sealed {
        return codec.seal(key, alive(embedding, effort), spaceOf(pool));
    }

    function alive(made: Embedding, effort: number): Embedding {
        const { vector, tokens, truncated, isUnverified } = made;
        const now = wallClock();
        const freshUntil = now + ttlSeconds * 1000 * (1 - TTL_JITTER * random());
        const life = { createdAt: stamp(now), freshUntil, effort };
        const embedding = embeddingOf(vector, tokens, truncated, life);
        return isUnverified ? { ...embedding, isUnverified } : embedding;
    }

    return { embed };
}
