import { describe, expect, test } from "@jest/globals";
import { FOLDINGS } from "@property-search/contract/settings";
import fc from "fast-check";

import { MAX_HEAD_BYTES, parseRequestHead } from "../src/http/transport/requestHead.ts";
import { MAX_BYTES_PER_TURN } from "../src/http/protocol/requestBody.ts";
import {
    parseEmbed,
    parseOpenai,
    type ModelLimits,
} from "../src/http/protocol/embeddingRequest.ts";
import { createNormaliser, normaliseText } from "../src/key/normalise.ts";
import { createCharacterTable } from "../src/upstream/local/characters.ts";
import { createVocabularyTrie } from "../src/upstream/local/vocabularyTrie.ts";
import { cpuMilliseconds } from "./support/cpu.ts";
import { propertyRuns } from "../../tests/support/property.ts";

/**
 * Clients choose every byte of the input of these stages, so each must run in linear time. Inputs have the
 * maximum size for one event-loop turn; quadratic time would take seconds.
 */
const MOST_MILLISECONDS = 50;

const LIMITS: ModelLimits = {
    model: "m",
    acceptsTokens: true,
    dimensions: () => 1536,
    dimensionsError: () => undefined,
    supportsShortening: true,
};

/** Parts that regular expressions, normalisation and case mapping treat specially. */
const part = fc.oneof(
    fc.constantFrom(
        ..." \t\n\r\u00a0\u3000aAΣσİßéÉ.,;:!?\"'()[]{}«»…。!-_\\/<>|\u0000\u0001\ufffd\ufeff\u200d\u034f",
        ..."\u0300\u0301\u0315\u0316\u0323\u0327\u0344\u05b0\u0f71\u0f73\u3099\u20dd\u0345",
        ..."\u1100\u1161\u11a8가\u0915\u093c\u0958\u09c7\u09be房🏠\ud800\udc00",
        "\u{1d15e}",
        "\u{11127}",
        "<|endoftext|>",
        "[SEP]",
        "\\u0041",
        "\\",
    ),
    fc.string({ unit: "binary", minLength: 1, maxLength: 3 }),
);
const repeated = fc.record({
    start: fc.array(part, { maxLength: 3 }),
    unit: fc.array(part, { minLength: 1, maxLength: 4 }),
    end: fc.array(part, { maxLength: 3 }),
});

function textOf(
    { start, unit, end }: Record<"start" | "unit" | "end", readonly string[]>,
    bytes: number,
): string {
    const [head, body, tail] = [start, unit, end].map((parts) => parts.join(""));
    const room = bytes - Buffer.byteLength(`${head}${tail}`);
    return `${head}${(body ?? "").repeat(Math.floor(room / Buffer.byteLength(body ?? "")))}${tail}`;
}

function expectBounded(stage: (text: string) => unknown, bytes: number, fullRuns = 300): void {
    fc.assert(
        fc.property(repeated, (shape) => {
            const text = textOf(shape, bytes);
            expect(cpuMilliseconds(MOST_MILLISECONDS, () => stage(text))).toBeLessThan(
                MOST_MILLISECONDS,
            );
        }),
        propertyRuns(fullRuns),
    );
}

describe("linear time, whatever the content, for", () => {
    test.each([[[]], [["case"]], [["punctuation"]], [FOLDINGS]] as const)(
        "normalisation with foldings %j",
        (foldings) => expectBounded(createNormaliser(foldings), MAX_BYTES_PER_TURN),
    );

    test.each([
        ["of alternating marks", `a${"\u0315\u0300".repeat(40_000)}`],
        ["of marks that decompose", `a${"\u0344\u0f73".repeat(20_000)}`],
        ["of marks beyond U+FFFF", `a${"\u{1d165}\u{1d16d}".repeat(20_000)}`],
    ])("normalisation of a run %s", (_, text) => {
        expect(cpuMilliseconds(MOST_MILLISECONDS, () => normaliseText(text))).toBeLessThan(
            MOST_MILLISECONDS,
        );
    });

    test("folding of a word with punctuation inside", () => {
        const fold = createNormaliser(["punctuation"]);
        const text = `${'a."'.repeat(3)}${".".repeat(100_000)}a`;
        expect(cpuMilliseconds(MOST_MILLISECONDS, () => fold(text))).toBeLessThan(
            MOST_MILLISECONDS,
        );
    });

    test("a request's head", () => {
        const beginnings = ["x:", "x", "x: y", "GET /", "host: a\r\nx:"];
        fc.assert(
            fc.property(repeated, fc.constantFrom(...beginnings), (shape, beginning) => {
                const field = `${beginning}${textOf(shape, MAX_HEAD_BYTES - 100)}`;
                const bytes = Buffer.from(`GET /livez HTTP/1.1\r\nhost: a\r\n${field}\u0001\r\n`);
                const text = bytes.toString("latin1");
                expect(cpuMilliseconds(10, () => parseRequestHead(text))).toBeLessThan(10);
            }),
            propertyRuns(),
        );
        const blanks = `GET /livez HTTP/1.1\r\nhost: a\r\nx:${" ".repeat(16_000)}\u0001\r\n`;
        expect(cpuMilliseconds(10, () => parseRequestHead(blanks))).toBeLessThan(10);
    });

    test("a body that is parsed in one turn, as JSON of any kind", () => {
        const values = ["{}", "[]", "1", '""', '{"":0}', "[[[[[[[[]]]]]]]]", "null", '"\\u0041"'];
        const fields = ["text", "texts", "input", "user", "model"];
        fc.assert(
            fc.property(fc.constantFrom(...values), fc.constantFrom(...fields), (value, field) => {
                const count = Math.floor((MAX_BYTES_PER_TURN - 100) / (value.length + 1));
                const list = Array<string>(count).fill(value).join();
                const body = Buffer.from(`{"model":"m","${field}":[${list}]}`);
                const parse = (): void => {
                    for (const read of [() => parseEmbed(body), () => parseOpenai(body, LIMITS)])
                        try {
                            read();
                        } catch {
                            // Rejected, and the speed of the rejection counts.
                        }
                };
                expect(cpuMilliseconds(MOST_MILLISECONDS, parse)).toBeLessThan(MOST_MILLISECONDS);
            }),
            propertyRuns(),
        );
    });

    test("splitting a word into pieces", () => {
        const letters = Array.from("abcdefghij");
        const pieces = ["a", "##a", ...letters.map((one) => `##${"a".repeat(90)}${one}`)];
        const trie = createVocabularyTrie(
            Object.fromEntries(pieces.map((piece, id) => [piece, id])),
            "##",
        );
        const word = "a".repeat(100);
        const split = (): void => {
            for (let round = 0; round < 100; round += 1) trie.split(`${word}!`, [], 0);
        };
        // 101 positions of 91 steps: a hundred words take some ten milliseconds.
        expect(cpuMilliseconds(MOST_MILLISECONDS, split)).toBeLessThan(MOST_MILLISECONDS);
    });

    test("the kind of a character, which is then cached", () => {
        const table = createCharacterTable({
            cleans: true,
            separatesIdeographs: true,
            stripsAccents: true,
            lowercases: true,
        });
        const every = (): void => {
            for (let point = 0; point < 0x110000; point += 1) table.kindOf(point);
        };
        every();
        expect(cpuMilliseconds(MOST_MILLISECONDS, every)).toBeLessThan(MOST_MILLISECONDS);
    });
});

describe("a body with more values than any valid request", () => {
    test.each([
        ["empty objects", "{}"],
        ["token ids", "1"],
    ])("is rejected before %s are parsed", (_, value) => {
        const body = Buffer.from(`{"model":"m","input":[${Array(400_000).fill(value).join()}]}`);
        expect(() => parseOpenai(body, LIMITS)).toThrow(/more than 304096 values/);
    });

    test("ignores those in strings", () => {
        const text = '{,["\\'.repeat(100_000);
        const body = Buffer.from(JSON.stringify({ text }));
        expect(parseEmbed(body).inputs).toEqual([{ kind: "text", text }]);
    });
});
