import { describe, expect, test } from "@jest/globals";
import { PRECISIONS } from "@property-search/contract/settings";
import fc from "fast-check";

import { embeddingOf, shortened, vectorFault } from "../src/vector/embedding.ts";
import { entryCodec, entryFacts, writerOf } from "../src/vector/entry.ts";
import type { Precision } from "../src/vector/precision.ts";
import { cosine } from "./support/statistics.ts";
import { trueVector } from "./support/vectors.ts";
import { propertyRuns } from "../../tests/support/property.ts";

const KEY = "a-key";
const SPACE = "0123456789abcdef";
const WRITER = writerOf(["v1", "a-model"]);
const LIFE = { createdAt: 1_000.5, freshUntil: 2_000.25, effort: 12.5 };
const embedding = embeddingOf(trueVector("text"), 7, true, LIFE);
const codecFor = (precision: Precision) => entryCodec({ precision, writer: WRITER });
const codec = codecFor("float32");
const entryOf = (made = embedding): Buffer => codec.seal(KEY, made, SPACE).entry;
const bits = (vector: Float32Array): Buffer =>
    Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);

const vectors = fc
    .array(fc.float({ noNaN: true, min: -1, max: 1 }), { minLength: 1, maxLength: 64 })
    .map((values) => Float32Array.from(values))
    .filter((vector) => vectorFault(vector, undefined) === undefined);

const tokens = fc.nat({ max: 8 * 1024 * 1024 });

describe("a stored entry", () => {
    test.each([
        ["more tokens than a body has bytes", { tokens: 2 ** 31 }],
        ["no time at which it was made", { createdAt: NaN }],
        ["a life without end", { freshUntil: Infinity }],
        ["an effort without end", { effort: Infinity }],
        ["an effort below zero", { effort: -1 }],
    ])("with %s is damaged, though its checksum is right", (_, forged) => {
        expect(codec.open(KEY, entryOf(), undefined)).toBeDefined();
        expect(codec.open(KEY, entryOf({ ...embedding, ...forged }), undefined)).toBeUndefined();
    });

    test("comes back bit for bit, with everything that is known of it", () => {
        fc.assert(
            fc.property(vectors, tokens, fc.boolean(), (vector, tokens, truncated) => {
                const written = embeddingOf(vector, tokens, truncated, LIFE);
                const { entry } = codec.seal(KEY, written, SPACE);
                expect(codec.open(KEY, entry, vector.length)).toEqual({
                    ...written,
                    writer: WRITER,
                });
            }),
            propertyRuns(),
        );
    });

    test.each(PRECISIONS)("in %s is what was answered when it was made", (precision) => {
        fc.assert(
            fc.property(vectors, (vector) => {
                const { seal, open } = codecFor(precision);
                const sealed = seal(KEY, embeddingOf(vector, 1, false, LIFE), SPACE);
                const read = open(KEY, sealed.entry, vector.length);
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
        const { entry, embedding: read } = codecFor(precision).seal(
            KEY,
            embeddingOf(vector, 1, false),
            SPACE,
        );
        expect(1 - cosine(vector, read.vector)).toBeLessThanOrEqual(loss + 1e-12);
        const bytes = { float32: 1_536, float16: 768, int8: 384 }[precision];
        expect(entry.length).toBe(bytes + 56);
    });

    test("tells its precision, who wrote it and its space", () => {
        const { entry } = codecFor("int8").seal(KEY, embedding, SPACE);
        expect(entryFacts(entry)).toEqual({
            precision: "int8",
            writer: WRITER,
            space: SPACE,
            bytes: entry.length,
        });
        expect(writerOf(["v2", "a-model"])).not.toBe(WRITER);
        expect(entryFacts(Buffer.from("not an entry"))).toBeUndefined();
    });

    test("of another version is a miss", () => {
        const entry = entryOf();
        entry[0] = 2;
        expect(codec.open(KEY, entry, undefined)).toBeUndefined();
    });

    test("with any byte changed is refused", () => {
        const entry = entryOf();
        for (let at = 0; at < entry.length; at += 1) {
            const damaged = Buffer.from(entry);
            damaged[at] = (damaged[at] ?? 0) ^ 0x10;
            expect(codec.open(KEY, damaged, undefined)).toBeUndefined();
        }
    });

    test("cut short, under another's key or of another length is refused", () => {
        const entry = entryOf();
        for (let length = 0; length < entry.length; length += 1) {
            expect(codec.open(KEY, entry.subarray(0, length), undefined)).toBeUndefined();
        }
        expect(codec.open("another", entry, undefined)).toBeUndefined();
        expect(codec.open(KEY, entry, embedding.vector.length + 1)).toBeUndefined();
    });

    test.each([
        ["NaN", [1, NaN]],
        ["infinite", [1, Infinity]],
        ["zero", [0, 0]],
        ["empty", []],
    ])("that is %s is refused however sound its checksum", (_, values) => {
        const entry = entryOf(embeddingOf(Float32Array.from(values), 1, false));
        expect(codec.open(KEY, entry, undefined)).toBeUndefined();
        expect(vectorFault(Float32Array.from(values), undefined)).toBeDefined();
    });
});

describe("a beginning of a vector", () => {
    test("has unit length and the direction of what it was cut from, and is made once", () => {
        // As long as a model's: of a short one no beginning is kept.
        const vector = Float32Array.from({ length: 384 }, (_, at) => 3 + at);
        const whole = embeddingOf(vector, 2, false, LIFE);
        const short = shortened(whole, 2);
        expect([...short.vector]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
        expect(short).toMatchObject({ tokens: 2, ...LIFE });
        expect(shortened(whole, 2)).toBe(short);
        expect(shortened(whole, vector.length)).toBe(whole);
    });
});
