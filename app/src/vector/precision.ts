import type { PRECISIONS } from "@property-search/contract/settings";

export type Precision = (typeof PRECISIONS)[number];

/** Numbers as bytes, little-endian, and the factor that they are multiplied with when they are read. */
export interface Packed {
    readonly bytes: Uint8Array;
    readonly scale: number;
}

const INT8_MOST = 127;

/** Node runs on little-endian machines only, so a typed array's bytes are the stored ones. */
export function pack(vector: Float32Array, precision: Precision): Packed {
    if (precision === "int8") return packInt8(vector);
    const values = precision === "float32" ? vector : new Float16Array(vector);
    return { bytes: bytesOf(values), scale: 1 };
}

/** @returns the vector, or undefined when the bytes are not `dimensions` numbers of this precision */
export function unpack(
    bytes: Uint8Array,
    precision: Precision,
    dimensions: number,
    scale: number,
): Float32Array<ArrayBuffer> | undefined {
    if (bytes.length !== dimensions * bytesPerNumber(precision)) return undefined;
    // Copied: bytes from a socket need not be aligned, and would keep the whole chunk alive.
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

/** One scale a vector, so that its largest value is ±127; the error of a number is at most half of it. */
function packInt8(vector: Float32Array): Packed {
    let most = 0;
    for (const value of vector) most = Math.max(most, Math.abs(value));
    const scale = Math.fround(most / INT8_MOST);
    const values = new Int8Array(vector.length);
    for (let at = 0; at < vector.length; at += 1) {
        const value = Math.round((vector[at] ?? 0) / scale);
        values[at] = Math.max(-INT8_MOST, Math.min(INT8_MOST, value));
    }
    return { bytes: bytesOf(values), scale };
}

function bytesOf(values: Float32Array | Float16Array | Int8Array): Uint8Array {
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
