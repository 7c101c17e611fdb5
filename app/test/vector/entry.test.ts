import { describe, expect, test } from "@jest/globals";
import { PRECISIONS } from "@property-search/contract/settings";
import fc from "fast-check";

import { createEmbedding, shorten, vectorError } from "../../src/vector/embedding.ts";
import { createEntryCodec, entryFacts, buildIdOf } from "../../src/vector/entry.ts";
import type { Precision } from "../../src/vector/precision.ts";
import { cosine } from "../support/statistics.ts";
import { trueVector } from "../support/vectors.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const KEY = "a-key";
const SPACE = "0123456789abcdef";
const WRITER = buildIdOf(["v1", "a-model"]);
const LIFE = { createdAt: 1_000.5, freshUntil: 2_000.25, computeMilliseconds: 12.5 };
const embedding = createEmbedding(trueVector("text"), 7, true, LIFE);
const codecFor = (precision: Precision) => createEntryCodec({ precision, buildId: WRITER });
const codec = codecFor("float32");
const entryOf = (made = embedding): Buffer => codec.encode(KEY, made, SPACE).entry;
const bits = (vector: Float32Array): Buffer =>
    Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);

const vectors = fc
    .array(fc.float({ noNaN: true, min: -1, max: 1 }), { minLength: 1, maxLength: 64 })
    .map((values) => Float32Array.from(values))
    .filter((vector) => vectorError(vector, undefined) === undefined);

const tokens = fc.nat({ max: 8 * 1024 * 1024 });

describe("a stored entry", () => {
    test.each([
        ["more tokens than a body has bytes", { tokens: 2 ** 31 }],
        ["no time at which it was made", { createdAt: NaN }],
        ["a life without end", { freshUntil: Infinity }],
        ["an computeMilliseconds without end", { computeMilliseconds: Infinity }],
        ["an computeMilliseconds below zero", { computeMilliseconds: -1 }],
    ])("with %s is corrupt, although its checksum is correct", (_, forged) => {
        expect(codec.decode(KEY, entryOf(), undefined)).toBeDefined();
        expect(codec.decode(KEY, entryOf({ ...embedding, ...forged }), undefined)).toBeUndefined();
    });

    test("is decoded bit for bit, with all its metadata", () => {
        fc.assert(
            fc.property(vectors, tokens, fc.boolean(), (vector, tokens, truncated) => {
                const written = createEmbedding(vector, tokens, truncated, LIFE);
                const { entry } = codec.encode(KEY, written, SPACE);
                expect(codec.decode(KEY, entry, vector.length)).toEqual({
                    ...written,
                    buildId: WRITER,
                });
            }),
            propertyRuns(),
        );
    });

    test.each(PRECISIONS)("in %s is what was answered when it was made", (precision) => {
        fc.assert(
            fc.property(vectors, (vector) => {
                const { encode, decode } = codecFor(precision);
                const sealed = encode(KEY, createEmbedding(vector, 1, false, LIFE), SPACE);
                const read = decode(KEY, sealed.entry, vector.length);
                if (read) expect(bits(read.vector)).toEqual(bits(sealed.embedding.vector));
                else expect(bits(sealed.embedding.vector)).toEqual(bits(vector));
            }),
            propertyRuns(),
        );
    });

    test.each([
        ["float32", 0],
        ["float16", 2e-7],
        ["int8", 2e-4],
    ] as const)("in %s loses at most %d of the cosine, and shrinks", (precision, loss) => {
        const vector = Float32Array.from({ length: 384 }, (_, at) => Math.sin(at * at) / 14);
        const { entry, embedding: read } = codecFor(precision).encode(
            KEY,
            createEmbedding(vector, 1, false),
            SPACE,
        );
        expect(1 - cosine(vector, read.vector)).toBeLessThanOrEqual(loss + 1e-12);
        const bytes = { float32: 1_536, float16: 768, int8: 384 }[precision];
        expect(entry.length).toBe(bytes + 56);
    });

    test.each([
        ["float16", "is encoded once"],
        ["int8", "is encoded once"],
        ["float32", "takes no memory until it is written"],
    ] as const)("in %s %s", (precision, kept) => {
        const encoded = codecFor(precision).encode(KEY, embedding, SPACE);
        const { entry } = encoded;
        expect(encoded.entry === entry).toBe(kept === "is encoded once");
        expect(encoded.entry).toEqual(entry);
        expect(encoded.bytes).toBe(entry.length);
    });

    test("returns its precision, build ID and space", () => {
        const { entry } = codecFor("int8").encode(KEY, embedding, SPACE);
        expect(entryFacts(entry)).toEqual({
            precision: "int8",
            buildId: WRITER,
            space: SPACE,
            bytes: entry.length,
        });
        expect(buildIdOf(["v2", "a-model"])).not.toBe(WRITER);
        expect(entryFacts(Buffer.from("not an entry"))).toBeUndefined();
    });

    test("of another version is a miss", () => {
        const entry = entryOf();
        entry[0] = 2;
        expect(codec.decode(KEY, entry, undefined)).toBeUndefined();
    });

    test("with any byte changed is refused", () => {
        const entry = entryOf();
        for (let at = 0; at < entry.length; at += 1) {
            const damaged = Buffer.from(entry);
            damaged[at] = (damaged[at] ?? 0) ^ 0x10;
            expect(codec.decode(KEY, damaged, undefined)).toBeUndefined();
        }
    });

    test("cut short, under another's key or of another length is refused", () => {
        const entry = entryOf();
        for (let length = 0; length < entry.length; length += 1) {
            expect(codec.decode(KEY, entry.subarray(0, length), undefined)).toBeUndefined();
        }
        expect(codec.decode("another", entry, undefined)).toBeUndefined();
        expect(codec.decode(KEY, entry, embedding.vector.length + 1)).toBeUndefined();
    });

    test.each([
        ["NaN", [1, NaN]],
        ["infinite", [1, Infinity]],
        ["zero", [0, 0]],
        ["empty", []],
    ])("that is %s is rejected despite a valid checksum", (_, values) => {
        const entry = entryOf(createEmbedding(Float32Array.from(values), 1, false));
        expect(codec.decode(KEY, entry, undefined)).toBeUndefined();
        expect(vectorError(Float32Array.from(values), undefined)).toBeDefined();
    });
});

describe("a shortened vector", () => {
    test("has unit length and the direction of the original, and is created once", () => {
        // As long as a model's; of a short one, nothing is cached.
        const vector = Float32Array.from({ length: 384 }, (_, at) => 3 + at);
        const whole = createEmbedding(vector, 2, false, LIFE);
        const short = shorten(whole, 2);
        expect([...short.vector]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
        expect(short).toMatchObject({ tokens: 2, ...LIFE });
        expect(shorten(whole, 2)).toBe(short);
        expect(shorten(whole, vector.length)).toBe(whole);
    });
});
