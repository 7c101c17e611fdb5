import { hash } from "node:crypto";
import { crc32 } from "node:zlib";

import { PRECISIONS } from "@property-search/contract/settings";

import { createEmbedding, vectorError, type Embedding, type Lifetime } from "./embedding.ts";
import { bytesPerNumber, pack, unpack, type Precision } from "./precision.ts";

/** Incremented when the meaning of the bytes changes; entries of other versions are misses. */
export const ENTRY_VERSION = 3;

const TRUNCATED = 1;
/** A token has at least one byte, and a body at most this many. */
const MAX_TOKENS = 8 * 1024 * 1024;
const OFFSET = {
    version: 0,
    type: 1,
    flags: 2,
    dimensions: 4,
    tokens: 8,
    checksum: 12,
    createdAt: 16,
    freshUntil: 24,
    computeMilliseconds: 32,
    scale: 36,
    buildId: 40,
    space: 48,
    numbers: 56,
} as const;
const DIGEST_BYTES = 8;
/** Offset of the creation time, which Redis scripts compare. */
export const CREATED_AT_OFFSET = OFFSET.createdAt;

/** An embedding with its stored form, as it will be decoded. */
export interface EncodedEntry {
    readonly key: string;
    /**
     * With all digits, it is created by each access: entries that wait to be written would take as much memory again
     * as their vectors. With fewer, it is kept, and the vector that it was created from is not.
     */
    readonly entry: Buffer;
    /** Size of the entry. */
    readonly bytes: number;
    readonly embedding: Embedding;
}

/** Facts about a stored entry in addition to its embedding. */
export interface EntryFacts {
    readonly precision: Precision;
    /** ID of the build that wrote it: see `buildIdOf`. */
    readonly buildId: string;
    /** Digest of the key space: see `createSpaceOf`. */
    readonly space: string;
    readonly bytes: number;
}

export interface EntryCodec {
    /**
     * Responses use the stored value, so that a miss and all later hits are bit-identical at any precision.
     *
     * @param space digest of the key space, by which exports select entries, because keys do not reveal it
     */
    readonly encode: (key: string, embedding: Embedding, space: string) => EncodedEntry;
    /** @returns the embedding, or undefined if the bytes are not a valid entry of this key */
    readonly decode: (
        key: string,
        entry: Buffer,
        dimensions: number | undefined,
    ) => Embedding | undefined;
}

/**
 * Stored form, all numbers little-endian: version u8, type u8, flags u8, 0 u8, dimensions u32, tokens u32,
 * CRC-32 u32, creation and expiry f64 (ms since the epoch), compute time f32 (ms), scale f32, build ID 8
 * bytes, space 8 bytes, then the vector. The checksum covers the key, so that an entry under another key is
 * rejected.
 */
export function createEntryCodec(options: {
    readonly precision: Precision;
    readonly buildId: string;
}): EntryCodec {
    const { precision } = options;
    const buildId = Buffer.from(options.buildId, "hex");
    return {
        encode: (key, embedding, space) => {
            const create = (): Buffer => encodeEntry(key, embedding, { precision, buildId, space });
            const { length } = embedding.vector;
            const bytes = OFFSET.numbers + length * bytesPerNumber(precision);
            if (precision !== "float32") {
                const entry = create();
                // A vector that underflows to zero at this precision is kept unchanged.
                const stored = decodeEntry(key, entry, length) ?? embedding;
                return { key, entry, bytes, embedding: stored };
            }
            return {
                key,
                get entry() {
                    return create();
                },
                bytes,
                embedding,
            };
        },
        decode: decodeEntry,
    };
}

/** @returns the ID of a build with its model */
export function buildIdOf(build: readonly string[]): string {
    return hash("sha256", JSON.stringify([ENTRY_VERSION, ...build]), "hex").slice(
        0,
        2 * DIGEST_BYTES,
    );
}

/** @returns undefined if the bytes are not an entry of this version */
export function entryFacts(entry: Buffer): EntryFacts | undefined {
    const precision = PRECISIONS[(entry[OFFSET.type] ?? 0) - 1];
    if (entry.length <= OFFSET.numbers || entry[OFFSET.version] !== ENTRY_VERSION || !precision) {
        return undefined;
    }
    const buildId = entry.toString("hex", OFFSET.buildId, OFFSET.space);
    const space = entry.toString("hex", OFFSET.space, OFFSET.numbers);
    return { precision, buildId, space, bytes: entry.length };
}

function encodeEntry(
    key: string,
    embedding: Embedding,
    facts: { readonly precision: Precision; readonly buildId: Buffer; readonly space: string },
): Buffer {
    const { precision, buildId, space } = facts;
    const { vector, tokens, truncated, createdAt, freshUntil, computeMilliseconds } = embedding;
    const { bytes, scale } = pack(vector, precision);
    const entry = Buffer.allocUnsafeSlow(OFFSET.numbers + bytes.length);
    entry.fill(0, 0, OFFSET.numbers);
    entry[OFFSET.version] = ENTRY_VERSION;
    entry[OFFSET.type] = PRECISIONS.indexOf(precision) + 1;
    entry[OFFSET.flags] = truncated ? TRUNCATED : 0;
    entry.writeUInt32LE(vector.length, OFFSET.dimensions);
    entry.writeUInt32LE(tokens, OFFSET.tokens);
    entry.writeDoubleLE(createdAt, OFFSET.createdAt);
    entry.writeDoubleLE(freshUntil, OFFSET.freshUntil);
    entry.writeFloatLE(computeMilliseconds, OFFSET.computeMilliseconds);
    entry.writeFloatLE(scale, OFFSET.scale);
    buildId.copy(entry, OFFSET.buildId, 0, DIGEST_BYTES);
    entry.write(space, OFFSET.space, DIGEST_BYTES, "hex");
    entry.set(bytes, OFFSET.numbers);
    entry.writeUInt32LE(checksum(key, entry), OFFSET.checksum);
    return entry;
}

function decodeEntry(
    key: string,
    entry: Buffer,
    wanted: number | undefined,
): Embedding | undefined {
    const facts = entryFacts(entry);
    if (!facts || entry.readUInt32LE(OFFSET.checksum) !== checksum(key, entry)) return undefined;
    const dimensions = entry.readUInt32LE(OFFSET.dimensions);
    const scale = entry.readFloatLE(OFFSET.scale);
    const tokens = entry.readUInt32LE(OFFSET.tokens);
    const lifetime = {
        buildId: facts.buildId,
        createdAt: entry.readDoubleLE(OFFSET.createdAt),
        freshUntil: entry.readDoubleLE(OFFSET.freshUntil),
        computeMilliseconds: entry.readFloatLE(OFFSET.computeMilliseconds),
    };
    if (tokens > MAX_TOKENS || !isValidLifetime(lifetime)) return undefined;
    const vector = unpack(entry.subarray(OFFSET.numbers), facts.precision, dimensions, scale);
    if (!vector || vectorError(vector, wanted) !== undefined) return undefined;
    return createEmbedding(vector, tokens, entry[OFFSET.flags] === TRUNCATED, lifetime);
}

/** A checksum is not a signature: anyone with access to Redis or an export can compute it. */
function isValidLifetime({ createdAt, freshUntil, computeMilliseconds }: Lifetime): boolean {
    return [createdAt, freshUntil, computeMilliseconds].every(
        (value) => Number.isFinite(value) && value >= 0,
    );
}

/** Wire form of base64 responses. Node runs on little-endian machines only. */
export function littleEndianBytes(vector: Float32Array): Buffer {
    return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** Copies, because bytes from a socket may be unaligned and would retain the whole chunk. */
export function vectorFromBytes(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    const vector = new Float32Array(Math.floor(bytes.length / 4));
    new Uint8Array(vector.buffer).set(bytes.subarray(0, vector.byteLength));
    return vector;
}

function checksum(key: string, entry: Buffer): number {
    const head = crc32(entry.subarray(0, OFFSET.checksum), crc32(key));
    return crc32(entry.subarray(OFFSET.createdAt), head);
}
