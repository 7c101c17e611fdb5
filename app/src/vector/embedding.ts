/** A vector with what is known about how it came to be. Shared between requests. */
export interface Embedding {
    readonly vector: Float32Array<ArrayBuffer>;
    /** Tokens that the model was billed for, or read, for this input. */
    readonly tokens: number;
    /** The model read only the beginning of the text. */
    readonly truncated: boolean;
    /** Answers that are ready to send, kept by the HTTP side with the entry that they belong to. */
    readonly forms: Forms;
}

/** ASCII of JSON by encoding, each made when it is first asked for. */
export interface Forms {
    base64?: string | Buffer;
    float?: string | Buffer;
}

/** An embedding nobody has asked for yet. */
export function embeddingOf(
    vector: Float32Array<ArrayBuffer>,
    tokens: number,
    truncated: boolean,
): Embedding {
    return { vector, tokens, truncated, forms: {} };
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
