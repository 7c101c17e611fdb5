/** A vector with what is known about how it came to be. Shared between requests. */
export interface Embedding extends Life {
    readonly vector: Float32Array<ArrayBuffer>;
    /** Tokens that the model was billed for, or read, for this input. */
    readonly tokens: number;
    /** The model read only the beginning of the text. */
    readonly truncated: boolean;
    /** Of a place that has not been shown to serve the same model: it is not shared with other pods. */
    readonly isUnverified?: boolean | undefined;
    /** Parts of answers that are ready to send, kept by the HTTP side with the entry they belong to. */
    readonly forms: Forms;
}

/** When an embedding was made and how long it holds, in milliseconds of `wallClock()`, and by whom. */
export interface Life {
    /** Digest of the build that made it, as its entry in Redis says; undefined: this process. */
    readonly writer?: string | undefined;
    readonly createdAt: number;
    /** From then on it only answers where nothing better can be had. */
    readonly freshUntil: number;
    /** Milliseconds that its making took: what a refresh would cost. */
    readonly effort: number;
}

/** ASCII of JSON by encoding, each made when it is first asked for. */
export interface Forms {
    base64?: Buffer;
    float?: Buffer;
    /** Beginnings of the vector, by their length; together no longer than the vector. */
    shorter?: Map<number, Embedding>;
}

/** What a beginning costs beside its numbers, in dimensions: its objects take some 600 bytes. */
const DIMENSIONS_PER_FORM = 20;

const FOR_EVER: Life = { createdAt: 0, freshUntil: Infinity, effort: 0 };

/** An embedding nobody has asked for yet. */
export function embeddingOf(
    vector: Float32Array<ArrayBuffer>,
    tokens: number,
    truncated: boolean,
    life = FOR_EVER,
): Embedding {
    const { writer, createdAt, freshUntil, effort } = life;
    return { vector, tokens, truncated, forms: {}, writer, createdAt, freshUntil, effort };
}

/**
 * The beginning of a vector as a vector of its own, for models that are trained for it
 * (Matryoshka, arXiv:2205.13147): cut off, then brought to unit length again.
 */
export function shortened(embedding: Embedding, dimensions: number): Embedding {
    const { vector, tokens, truncated, forms } = embedding;
    if (dimensions >= vector.length) return embedding;
    const known = forms.shorter?.get(dimensions);
    if (known) return known;
    const head = vector.slice(0, dimensions);
    let squares = 0;
    for (const value of head) squares += value * value;
    const length = Math.sqrt(squares);
    const short = embeddingOf(
        length === 0 ? head : head.map((value) => value / length),
        tokens,
        truncated,
        embedding,
    );
    keepShorter((forms.shorter ??= new Map()), short, vector.length);
    return short;
}

/** Keeps the beginnings made last: clients can ask for every length. */
function keepShorter(kept: Map<number, Embedding>, short: Embedding, most: number): void {
    const cost = (length: number): number => length + DIMENSIONS_PER_FORM;
    let sum = cost(short.vector.length);
    for (const length of kept.keys()) sum += cost(length);
    for (const length of kept.keys()) {
        if (sum <= most) break;
        kept.delete(length);
        sum -= cost(length);
    }
    if (sum <= most) kept.set(short.vector.length, short);
}

/** Why a vector must be neither kept nor returned, or undefined when it is sound. */
export function vectorFault(
    vector: Float32Array,
    dimensions: number | undefined,
): string | undefined {
    if (vector.length === 0) return "it is empty";
    if (dimensions !== undefined && vector.length !== dimensions) {
        return `it has ${vector.length} dimensions instead of ${dimensions}`;
    }
    let squares = 0;
    for (const value of vector) squares += value * value;
    // NaN and the infinities survive a sum of squares, so one check finds them all.
    if (!Number.isFinite(squares)) return "it holds a value that is not finite";
    if (squares === 0) return "it is zero";
    return undefined;
}
