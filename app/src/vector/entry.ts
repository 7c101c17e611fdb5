import { crc32 } from "node:zlib";

import { embeddingOf, vectorFault, type Embedding } from "./embedding.ts";

const VERSION = 1;
const FLOAT32_LITTLE_ENDIAN = 1;
const TRUNCATED = 1;
const HEADER_BYTES = 16;

/**
 * The stored form, all numbers little-endian:
 * version u8, type u8, flags u8, 0 u8, dimensions u32, tokens u32, CRC-32 u32, then float32 values.
 * The checksum also covers the key, so that an entry that landed under another's key is refused.
 */
export function encodeEntry(key: string, embedding: Embedding): Buffer {
    const { vector, tokens, truncated } = embedding;
    const entry = Buffer.allocUnsafe(HEADER_BYTES + vector.byteLength);
    entry[0] = VERSION;
    entry[1] = FLOAT32_LITTLE_ENDIAN;
    entry[2] = truncated ? TRUNCATED : 0;
    entry[3] = 0;
    entry.writeUInt32LE(vector.length, 4);
    entry.writeUInt32LE(tokens, 8);
    entry.set(littleEndianBytes(vector), HEADER_BYTES);
    entry.writeUInt32LE(checksum(key, entry), 12);
    return entry;
}

/** @returns the embedding, or undefined for anything that is not a sound entry of this key. */
export function decodeEntry(
    key: string,
    entry: Buffer,
    dimensions: number | undefined,
): Embedding | undefined {
    if (entry.length < HEADER_BYTES) return undefined;
    if (entry[0] !== VERSION || entry[1] !== FLOAT32_LITTLE_ENDIAN) return undefined;
    if (entry.length !== HEADER_BYTES + entry.readUInt32LE(4) * 4) return undefined;
    if (entry.readUInt32LE(12) !== checksum(key, entry)) return undefined;
    const vector = vectorFromBytes(entry.subarray(HEADER_BYTES));
    if (vectorFault(vector, dimensions) !== undefined) return undefined;
    return embeddingOf(vector, entry.readUInt32LE(8), entry[2] === TRUNCATED);
}

/** The wire form of base64 answers and of stored entries. Node runs on little-endian machines only. */
export function littleEndianBytes(vector: Float32Array): Buffer {
    return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** Copies, since bytes from a socket need not be aligned and keep the whole chunk alive. */
export function vectorFromBytes(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    const vector = new Float32Array(Math.floor(bytes.length / 4));
    new Uint8Array(vector.buffer).set(bytes.subarray(0, vector.byteLength));
    return vector;
}

function checksum(key: string, entry: Buffer): number {
    return crc32(entry.subarray(HEADER_BYTES), crc32(entry.subarray(0, 12), crc32(key)));
}
