import type { PRECISIONS } from "@property-search/contract/settings";

/** Number formats of stored vectors. */
export type Precision = (typeof PRECISIONS)[number];

/** Numbers as little-endian bytes, and the factor to multiply them with when decoding. */
export interface Packed {
    readonly bytes: Uint8Array;
    readonly scale: number;
}

const INT8_MAX = 127;

/** Node runs on little-endian machines only, so the bytes of a typed array are the stored ones. */
export function pack(vector: Float32Array, precision: Precision): Packed {
    if (precision === "int8") return packInt8(vector);
    const values = precision === "float32" ? vector : new Float16Array(vector);
    return { bytes: bytesOf(values), scale: 1 };
}

/** @returns the vector, or undefined if the bytes are not `dimensions` numbers of this precision */
export function unpack(
    bytes: Uint8Array,
    precision: Precision,
    dimensions: number,
    scale: number,
): Float32Array<ArrayBuffer> | undefined {
    if (bytes.length !== dimensions * bytesPerNumber(precision)) return undefined;
    // Copies, because bytes from a socket may be unaligned and would retain the whole chunk.
    const { buffer } = new Uint8Array(bytes);
    if (precision === "float32") return new Float32Array(buffer);
    if (precision === "float16") return new Float32Array(new Float16Array(buffer));
    const vector = new Float32Array(new Int8Array(buffer));
    for (let at = 0; at < vector.length; at += 1) vector[at] = (vector[at] ?? 0) * scale;
    return vector;
}

export function bytesPerNumber(precision: Precision): number {
    return precision === "float32" ? 4 : precision === "float16" ? 2 : 1;
}

/**
 * One scale per vector maps the largest value to ±127; the error of a number is at most half of the scale.
 */
function packInt8(vector: Float32Array): Packed {
    let most = 0;
    for (let at = 0; at < vector.length; at += 1) most = Math.max(most, Math.abs(vector[at] ?? 0));
    const scale = Math.fround(most / INT8_MAX);
    const values = new Int8Array(vector.length);
    for (let at = 0; at < vector.length; at += 1) {
        const value = Math.round((vector[at] ?? 0) / scale);
        values[at] = Math.max(-INT8_MAX, Math.min(INT8_MAX, value));
    }
    return { bytes: bytesOf(values), scale };
}

function bytesOf(values: Float32Array | Float16Array | Int8Array): Uint8Array {
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
