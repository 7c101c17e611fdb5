import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { embeddingOf, vectorFault } from "../src/vector/embedding.ts";
import { decodeEntry, encodeEntry } from "../src/vector/entry.ts";
import { trueVector } from "./support/vectors.ts";

const KEY = "a-key";
const embedding = embeddingOf(trueVector("text"), 7, true);

describe("a stored entry", () => {
    test("comes back bit for bit", () => {
        const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: 1, max: 1e9 });
        fc.assert(
            fc.property(fc.array(float, { minLength: 1 }), fc.nat(), fc.boolean(), (...made) => {
                const [values, tokens, truncated] = made;
                const written = embeddingOf(Float32Array.from(values), tokens, truncated);
                expect(decodeEntry(KEY, encodeEntry(KEY, written), values.length)).toEqual(written);
            }),
        );
    });

    test("with any byte changed is refused", () => {
        const entry = encodeEntry(KEY, embedding);
        for (let at = 0; at < entry.length; at += 1) {
            const damaged = Buffer.from(entry);
            damaged[at] = (damaged[at] ?? 0) ^ 0x10;
            expect(decodeEntry(KEY, damaged, undefined)).toBeUndefined();
        }
    });

    test("cut short, under another's key or of another length is refused", () => {
        const entry = encodeEntry(KEY, embedding);
        for (let length = 0; length < entry.length; length += 1) {
            expect(decodeEntry(KEY, entry.subarray(0, length), undefined)).toBeUndefined();
        }
        expect(decodeEntry("another", entry, undefined)).toBeUndefined();
        expect(decodeEntry(KEY, entry, embedding.vector.length + 1)).toBeUndefined();
    });

    test.each([
        ["NaN", [1, NaN]],
        ["infinite", [1, Infinity]],
        ["zero", [0, 0]],
        ["empty", []],
    ])("that is %s is refused however sound its checksum", (_, values) => {
        const entry = encodeEntry(KEY, embeddingOf(Float32Array.from(values), 1, false));
        expect(decodeEntry(KEY, entry, undefined)).toBeUndefined();
        expect(vectorFault(Float32Array.from(values), undefined)).toBeDefined();
    });
});
