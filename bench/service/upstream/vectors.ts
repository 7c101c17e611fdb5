import { createHash } from "node:crypto";

/** The model of the stub, with the name and the vector length of OpenAI's. */
export const MODEL = "text-embedding-3-small";
export const NATIVE_DIMENSIONS = 1536;
/** The stub rejects a call that contains this text, as providers reject invalid input. */
export const REFUSED_TEXT = "a text that the model refuses";

/**
 * The expected vector of a text, of unit length. A shorter vector is the beginning of the full one, normalized
 * again, as in a Matryoshka model (arXiv:2205.13147).
 */
export function expectedVector(
    text: string,
    dimensions = NATIVE_DIMENSIONS,
): Float32Array<ArrayBuffer> {
    const random = randomNumbers(text);
    const full = normalize(Array.from({ length: NATIVE_DIMENSIONS }, random));
    return dimensions === NATIVE_DIMENSIONS ? full : normalize(full.subarray(0, dimensions));
}

/** The stub bills words as tokens. */
export function countTokens(text: string): number {
    return text.split(" ").length;
}

export function fromBase64(text: string): Float32Array {
    const bytes = Buffer.from(text, "base64");
    return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
}

export function toBase64(vector: Float32Array<ArrayBuffer>): string {
    return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

function normalize(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
    const length = Math.hypot(...Array.from(values));
    return Float32Array.from(values, (value) => value / length);
}

/** Numbers from -1 to 1 by sfc32 (PractRand), seeded with the text's SHA-256. */
function randomNumbers(text: string): () => number {
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
