import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { createTokenizer } from "../../src/upstream/local/tokenizer.ts";
import { cpuMilliseconds } from "../support/cpu.ts";
import { modelDirectory } from "../support/model.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

interface Reference {
    /** Four bytes of a digest for every 256 characters, in base64. */
    readonly blocks: string;
    readonly texts: readonly (readonly [text: string, ids: readonly number[]])[];
}

/** Of Hugging Face's tokenizers for the same file; tokenizerReference.py creates it. */
const REFERENCE = JSON.parse(
    readFileSync(join(import.meta.dirname, "../support/tokenizerReference.json"), "utf8"),
) as Reference;
const DEFINITION = readFileSync(join(modelDirectory(), "tokenizer.json"), "utf8");
const BLOCKS = 0x1100;
const MEGABYTE = 1024 * 1024;

const tokenize = createTokenizer(DEFINITION);

function digestOfBlock(first: number): string {
    const lines: string[] = [];
    for (let point = first; point < first + 256; point += 1) {
        if (point >= 0xd800 && point <= 0xdfff) continue;
        const character = String.fromCodePoint(point);
        lines.push(tokenize(`a${character}b ${character}`).join());
    }
    return lines.length === 0 ? "00000000" : hash("sha256", lines.join("\n")).slice(0, 8);
}

describe("The tokenizer of the local model", () => {
    test("has the reference's IDs for texts of all scripts", () => {
        expect(REFERENCE.texts.length).toBeGreaterThan(600);
        const wrong = REFERENCE.texts.filter(([text, ids]) => tokenize(text).join() !== ids.join());
        expect(wrong.map(([text, ids]) => ({ text, ids, ours: tokenize(text) }))).toEqual([]);
    });

    test("has the reference's IDs for every character of Unicode, within a word and alone", () => {
        const digests = Buffer.from(REFERENCE.blocks, "base64");
        expect(digests).toHaveLength(4 * BLOCKS);
        const { numRuns, seed } = propertyRuns(BLOCKS);
        const step = Math.ceil(BLOCKS / numRuns);
        const wrong: string[] = [];
        for (let block = Math.abs(seed) % step; block < BLOCKS; block += step) {
            const wanted = digests.toString("hex", 4 * block, 4 * block + 4);
            if (digestOfBlock(256 * block) !== wanted) wrong.push(`U+${block.toString(16)}00`);
        }
        expect(wrong).toEqual([]);
    });

    test("stops reading after more tokens than requested, with a prefix of all", () => {
        const all = tokenize("two rooms near the old station ".repeat(50));
        const some = tokenize("two rooms near the old station ".repeat(50), 100);
        expect(some.length).toBeGreaterThan(100);
        expect(some.length).toBeLessThan(110);
        expect(some.slice(0, -1)).toEqual(all.slice(0, some.length - 1));
    });

    test.each([
        ["dots", "."],
        ["one word", "a"],
        ["words of 99 letters", `${"x".repeat(99)} `],
        ["words that almost are", `${"un".repeat(49)}\u0e01 `],
        ["accents", "é"],
        ["marks", "a\u0315\u0300"],
        ["marks alone", "\u0301"],
        ["control characters", "\u0001"],
        ["ideographs", "房"],
        ["houses", "🏠"],
        ["syllables", "한"],
        ["brackets", "["],
    ])("tokenises a text of 8 MiB of %s in less than a second", (_, unit) => {
        const text = unit.repeat(Math.ceil((8 * MEGABYTE) / Buffer.byteLength(unit)));
        expect(cpuMilliseconds(1_000, () => tokenize(text, 8_192))).toBeLessThan(1_000);
    });

    test("splits texts like their words, one by one", () => {
        fc.assert(
            fc.property(fc.array(fc.string({ unit: "binary", maxLength: 12 })), (words) => {
                const inner = (text: string) => tokenize(text).slice(1, -1);
                expect(inner(words.join(" "))).toEqual(words.flatMap(inner));
            }),
            propertyRuns(),
        );
    });

    test.each([
        [
            "a model that is not WordPiece",
            "model",
            "BPE",
            /model.type is "BPE"; allowed: WordPiece/,
        ],
        ["another normalizer", "normalizer", "NFKC", /normalizer.type is "NFKC"/],
    ])("rejects %s by name", (_, part, type, error) => {
        const read = JSON.parse(DEFINITION) as Record<string, object>;
        const changed = JSON.stringify({ ...read, [part]: { ...read[part], type } });
        expect(() => createTokenizer(changed)).toThrow(error);
    });
});
