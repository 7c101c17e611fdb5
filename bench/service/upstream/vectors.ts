import { createHash } from "node:crypto";

/** The model that the stub serves, as long as the one of OpenAI whose name it takes. */
export const MODEL = "text-embedding-3-small";
export const NATIVE_DIMENSIONS = 1536;
/** The stub refuses a call with this in any of its texts, as providers refuse what they cannot read. */
export const REFUSED_TEXT = "a text that the model refuses";

/**
 * E: the one true vector of a text, of unit length. A shorter one is the beginning of the full one,
 * made unit length again, as a Matryoshka model does it (arXiv:2205.13147).
 */
export function trueVector(
    text: string,
    dimensions = NATIVE_DIMENSIONS,
): Float32Array<ArrayBuffer> {
    const random = generator(text);
    const full = unit(Array.from({ length: NATIVE_DIMENSIONS }, random));
    return dimensions === NATIVE_DIMENSIONS ? full : unit(full.subarray(0, dimensions));
}

/** Tokens by which the stub bills: words. */
export function trueTokens(text: string): number {
    return text.split(" ").length;
}

export function fromBase64(text: string): Float32Array {
    const bytes = Buffer.from(text, "base64");
    return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
}

export function toBase64(vector: Float32Array<ArrayBuffer>): string {
    return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

function unit(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
    const length = Math.hypot(...Array.from(values));
    return Float32Array.from(values, (value) => value / length);
}

/** Numbers from -1 to 1 by sfc32 (PractRand), seeded with the text's SHA-256. */
function generator(text: string): () => number {
    const seed = createHash("sha256").update(text).digest();
    let [a, b, c, counter] = [0, 4, 8, 12].map((at) => seed.readInt32LE(at)) as [
        number,
        number,
        number,
        number,
    ];
    return () => {
        const sum = (a + b + counter) | 0;
        counter = (counter + 1) | 0;
        a = b ^ (b >>> 9);
        b = (c + (c << 3)) | 0;
        c = ((c << 21) | (c >>> 11)) + sum;
        c |= 0;
        return sum / 2 ** 31;
    };
}
