import { norm } from "./cosine.ts";

/** A vector with metadata, shared between requests. */
export interface Embedding extends Lifetime {
    readonly vector: Float32Array<ArrayBuffer>;
    /** Tokens billed or read by the model for this input. */
    readonly tokens: number;
    /** Whether the text was truncated. */
    readonly truncated: boolean;
    /** From a fallback that has not been verified to serve the same model; not shared with other pods. */
    readonly isUnverified?: boolean | undefined;
    /** Serialised forms for responses, cached with the entry. */
    readonly forms: EncodedForms;
}

/** Creation and expiry of an embedding in milliseconds of `wallClock()`, and its build. */
export interface Lifetime {
    /** ID of the build that created it, from its entry in Redis; undefined: this process. */
    readonly buildId?: string | undefined;
    readonly createdAt: number;
    /** From then on it is served only as a fallback. */
    readonly freshUntil: number;
    /** Time that the computation took: the cost of a refresh. */
    readonly computeMilliseconds: number;
}

/** JSON in ASCII by encoding, created on first use. */
export interface EncodedForms {
    base64?: Buffer;
    float?: Buffer;
    /** Shortened vectors by length, together no longer than the vector. */
    shorter?: Map<number, Embedding>;
}

/** Overhead of a shortened vector in dimensions: its objects take about 600 bytes. */
const DIMENSIONS_PER_FORM = 20;

const NEVER_EXPIRES: Lifetime = { createdAt: 0, freshUntil: Infinity, computeMilliseconds: 0 };

/** @returns when the entry of an embedding ends, in milliseconds of `wallClock()` */
export function endOf({ freshUntil }: Lifetime, staleSeconds: number): number {
    return freshUntil + staleSeconds * 1000;
}

/** Creates an embedding without serialised forms. */
export function createEmbedding(
    vector: Float32Array<ArrayBuffer>,
    tokens: number,
    truncated: boolean,
    lifetime = NEVER_EXPIRES,
): Embedding {
    const { buildId, createdAt, freshUntil, computeMilliseconds } = lifetime;
    return {
        vector,
        tokens,
        truncated,
        forms: {},
        buildId,
        createdAt,
        freshUntil,
        computeMilliseconds,
    };
}

/**
 * Shortens a vector of a model trained for it (Matryoshka, arXiv:2205.13147): truncates and normalises it
 * again.
 */
export function shorten(embedding: Embedding, dimensions: number): Embedding {
    const { vector, tokens, truncated, forms } = embedding;
    if (dimensions >= vector.length) return embedding;
    const known = forms.shorter?.get(dimensions);
    if (known) return known;
    const head = vector.slice(0, dimensions);
    const length = norm(head);
    const short = createEmbedding(
        length === 0 ? head : head.map((value) => value / length),
        tokens,
        truncated,
        embedding,
    );
    cacheShortened((forms.shorter ??= new Map()), short, vector.length);
    return short;
}

/** Caches the most recently created lengths, because clients may request any. */
function cacheShortened(cache: Map<number, Embedding>, short: Embedding, most: number): void {
    const cost = (length: number): number => length + DIMENSIONS_PER_FORM;
    let sum = cost(short.vector.length);
    for (const length of cache.keys()) sum += cost(length);
    for (const length of cache.keys()) {
        if (sum <= most) break;
        cache.delete(length);
        sum -= cost(length);
    }
    if (sum <= most) cache.set(short.vector.length, short);
}

/** @returns why a vector must be neither cached nor returned, or undefined if it is valid */
export function vectorError(
    vector: Float32Array,
    dimensions: number | undefined,
): string | undefined {
    if (vector.length === 0) return "it is empty";
    if (dimensions !== undefined && vector.length !== dimensions) {
        return `it has ${vector.length} dimensions instead of ${dimensions}`;
    }
    const length = norm(vector);
    // NaN and infinities propagate through the sum, so one check finds all of them.
    if (!Number.isFinite(length)) return "it contains a value that is not finite";
    if (length === 0) return "it is zero";
    return undefined;
}
