import { wallClock } from "../clock.ts";
import type { Scope } from "../scope.ts";
import { traced } from "../tracing/tracing.ts";
import { UpstreamError, type Upstream } from "../upstream/upstream.ts";
import { embeddingOf, type Embedding } from "../vector/embedding.ts";
import type { EntryCodec, Sealed } from "../vector/entry.ts";
import type { Item } from "./item.ts";
import { refusals } from "./refusals.ts";

/** What became of one item. */
export type Outcome =
    | { readonly sealed: Sealed; readonly error?: undefined }
    | { readonly sealed?: undefined; readonly error: UpstreamError };

export interface Origin {
    /** One outcome per key: a batch that is refused fails only for the items that are to blame. */
    readonly embed: (items: readonly Item[], scope: Scope) => Promise<ReadonlyMap<string, Outcome>>;
}

export interface OriginParts {
    readonly upstream: Pick<Upstream, "embed">;
    readonly codec: EntryCodec;
    readonly ttlSeconds: number;
    /** Digest of a tenant's space of keys: see `spaceDigests`. */
    readonly spaceOf: (tenant: string) => string;
    /** Told after each call that was answered: also when its request fails for another of its items. */
    readonly billed: (scope: Scope, tokens: number) => void;
    /** The time that an entry made now is given as that of its making; default: now. */
    readonly stamp?: (now: number) => number;
    /** In [0, 1). */
    readonly random?: () => number;
}

/** Up to this share is taken off a lifetime, so that what was made together does not expire so. */
const TTL_JITTER = 0.1;
/** Calls that the search for refused items in one batch may take: enough for one in 2,048. */
const MOST_CALLS = 24;

/** The upstream, and what makes an entry of its answer. */
export function origin(parts: OriginParts): Origin {
    const { upstream, codec, ttlSeconds, spaceOf, billed } = parts;
    const { stamp = (now) => now, random = Math.random } = parts;
    const refused = refusals();

    async function embed(
        items: readonly Item[],
        scope: Scope,
    ): Promise<ReadonlyMap<string, Outcome>> {
        const outcomes = new Map<string, Outcome>();
        let calls = 0;
        const open = items.filter(({ key }) => {
            const error = refused.of(key);
            if (error) outcomes.set(key, { error });
            return error === undefined;
        });
        if (open.length > 0) await ask(open);
        return outcomes;

        /** Halves a refused batch until the items to blame are alone. */
        async function ask(batch: readonly Item[]): Promise<void> {
            calls += 1;
            try {
                const sealed = await call(batch, scope);
                sealed.forEach((one) => outcomes.set(one.key, { sealed: one }));
            } catch (thrown) {
                const error = asUpstreamError(thrown);
                const [only, second] = batch;
                if (error.status === 400 && second && calls < MOST_CALLS) {
                    const middle = Math.ceil(batch.length / 2);
                    await ask(batch.slice(0, middle));
                    await ask(batch.slice(middle));
                    return;
                }
                if (error.status === 400 && only && !second) refused.remember(only.key, error);
                for (const { key } of batch) outcomes.set(key, { error });
            }
        }
    }

    async function call(batch: readonly Item[], scope: Scope): Promise<readonly Sealed[]> {
        const begun = performance.now();
        const embeddings = await traced(scope.span, "embed", (span) =>
            upstream.embed(
                batch.map(({ input }) => input),
                { ...scope, span },
            ),
        );
        const effort = performance.now() - begun;
        billed(
            scope,
            embeddings.reduce((sum, { tokens }) => sum + tokens, 0),
        );
        const space = spaceOf(scope.pool);
        return batch.map(({ key }, index) => {
            const embedding = embeddings[index];
            if (!embedding) throw new Error(`The upstream's answer lacks item ${index}`);
            return codec.seal(key, alive(embedding, effort), space);
        });
    }

    function alive({ vector, tokens, truncated }: Embedding, effort: number): Embedding {
        const now = wallClock();
        const freshUntil = now + ttlSeconds * 1000 * (1 - TTL_JITTER * random());
        return embeddingOf(vector, tokens, truncated, {
            createdAt: stamp(now),
            freshUntil,
            effort,
        });
    }

    return { embed };
}

function asUpstreamError(error: unknown): UpstreamError {
    if (error instanceof UpstreamError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new UpstreamError(503, "upstream_failed", message);
}
