import { hash } from "node:crypto";
import { crc32 } from "node:zlib";

import { PRECISIONS } from "@property-search/contract/settings";

import { embeddingOf, vectorFault, type Embedding, type Life } from "./embedding.ts";
import { pack, unpack, type Precision } from "./precision.ts";

/** Raised when the meaning of an entry's bytes changes; entries of another version are misses. */
export const ENTRY_VERSION = 3;

const TRUNCATED = 1;
/** A token has at least one byte, and a body has no more. */
const MOST_TOKENS = 8 * 1024 * 1024;
const AT = {
    version: 0,
    type: 1,
    flags: 2,
    dimensions: 4,
    tokens: 8,
    checksum: 12,
    createdAt: 16,
    freshUntil: 24,
    effort: 32,
    scale: 36,
    writer: 40,
    space: 48,
    numbers: 56,
} as const;
const DIGEST_BYTES = 8;
/** Where an entry's time of making stands: Redis compares it where two meet. */
export const AT_CREATED = AT.createdAt;

/** An embedding as it is stored, and as it reads from there. */
export interface Sealed {
    readonly key: string;
    readonly entry: Buffer;
    readonly embedding: Embedding;
}

/** Facts of a stored entry beside its embedding. */
export interface EntryFacts {
    readonly precision: Precision;
    /** Digest of who wrote it: see `writerOf`. */
    readonly writer: string;
    /** Digest of the space that its key lies in: see `spaceDigests`. */
    readonly space: string;
    readonly bytes: number;
}

export interface EntryCodec {
    /**
     * What is answered is what is stored: a miss, and every hit after it, has the same bits at any
     * precision.
     *
     * @param space digest of the key's space, by which a tenant's entries are found again: keys do not tell
     */
    readonly seal: (key: string, embedding: Embedding, space: string) => Sealed;
    /** @returns the embedding, or undefined for anything that is not a sound entry of this key */
    readonly open: (
        key: string,
        entry: Buffer,
        dimensions: number | undefined,
    ) => Embedding | undefined;
}

/**
 * The stored form, all numbers little-endian: version u8, type u8, flags u8, 0 u8, dimensions u32,
 * tokens u32, CRC-32 u32, created and fresh-until f64 (ms since the epoch), effort f32 (ms), scale f32,
 * writer 8 bytes, space 8 bytes, then the numbers. The checksum also covers the key, so that an entry that landed
 * under another's key is refused.
 */
export function entryCodec(options: {
    readonly precision: Precision;
    readonly writer: string;
}): EntryCodec {
    const { precision } = options;
    const writer = Buffer.from(options.writer, "hex");
    return {
        seal: (key, embedding, space) => {
            const entry = encode(key, embedding, {
                precision,
                writer,
                space: Buffer.from(space, "hex"),
            });
            if (precision === "float32") return { key, entry, embedding };
            const stored = openEntry(key, entry, embedding.vector.length);
            // A vector that vanishes at this precision is not replaced by nothing.
            return { key, entry, embedding: stored ?? embedding };
        },
        open: openEntry,
    };
}

/** @returns the digest by which entries of one build over one model can be told apart */
export function writerOf(build: readonly string[]): string {
    return hash("sha256", JSON.stringify([ENTRY_VERSION, ...build]), "hex").slice(
        0,
        2 * DIGEST_BYTES,
    );
}

/** @returns undefined for bytes that are no entry of this version */
export function entryFacts(entry: Buffer): EntryFacts | undefined {
    const precision = PRECISIONS[(entry[AT.type] ?? 0) - 1];
    if (entry.length <= AT.numbers || entry[AT.version] !== ENTRY_VERSION || !precision) {
        return undefined;
    }
    const writer = entry.toString("hex", AT.writer, AT.space);
    const space = entry.toString("hex", AT.space, AT.numbers);
    return { precision, writer, space, bytes: entry.length };
}

function encode(
    key: string,
    embedding: Embedding,
    made: { readonly precision: Precision; readonly writer: Buffer; readonly space: Buffer },
): Buffer {
    const { precision, writer, space } = made;
    const { vector, tokens, truncated, createdAt, freshUntil, effort } = embedding;
    const { bytes, scale } = pack(vector, precision);
    const entry = Buffer.alloc(AT.numbers + bytes.length);
    entry[AT.version] = ENTRY_VERSION;
    entry[AT.type] = PRECISIONS.indexOf(precision) + 1;
    entry[AT.flags] = truncated ? TRUNCATED : 0;
    entry.writeUInt32LE(vector.length, AT.dimensions);
    entry.writeUInt32LE(tokens, AT.tokens);
    entry.writeDoubleLE(createdAt, AT.createdAt);
    entry.writeDoubleLE(freshUntil, AT.freshUntil);
    entry.writeFloatLE(effort, AT.effort);
    entry.writeFloatLE(scale, AT.scale);
    writer.copy(entry, AT.writer, 0, DIGEST_BYTES);
    space.copy(entry, AT.space, 0, DIGEST_BYTES);
    entry.set(bytes, AT.numbers);
    entry.writeUInt32LE(checksum(key, entry), AT.checksum);
    return entry;
}

function openEntry(key: string, entry: Buffer, wanted: number | undefined): Embedding | undefined {
    const facts = entryFacts(entry);
    if (!facts || entry.readUInt32LE(AT.checksum) !== checksum(key, entry)) return undefined;
    const dimensions = entry.readUInt32LE(AT.dimensions);
    const scale = entry.readFloatLE(AT.scale);
    const tokens = entry.readUInt32LE(AT.tokens);
    const life = {
        writer: facts.writer,
        createdAt: entry.readDoubleLE(AT.createdAt),
        freshUntil: entry.readDoubleLE(AT.freshUntil),
        effort: entry.readFloatLE(AT.effort),
    };
    if (tokens > MOST_TOKENS || !isLife(life)) return undefined;
    const vector = unpack(entry.subarray(AT.numbers), facts.precision, dimensions, scale);
    if (!vector || vectorFault(vector, wanted) !== undefined) return undefined;
    return embeddingOf(vector, tokens, entry[AT.flags] === TRUNCATED, life);
}

/** A checksum is no signature: whoever writes to Redis, or brings an export, can compute it. */
function isLife({ createdAt, freshUntil, effort }: Life): boolean {
    return [createdAt, freshUntil, effort].every((value) => Number.isFinite(value) && value >= 0);
}

/** The wire form of base64 answers. Node runs on little-endian machines only. */
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
    const head = crc32(entry.subarray(0, AT.checksum), crc32(key));
    return crc32(entry.subarray(AT.createdAt), head);
}
