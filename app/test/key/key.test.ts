import { describe, expect, test } from "@jest/globals";
import { FOLDINGS } from "@property-search/contract/settings";
import fc from "fast-check";

import { createKeyOf } from "../../src/key/key.ts";
import { createNormaliser, normaliseText } from "../../src/key/normalise.ts";
import { KEY_SPACE } from "../support/keySpace.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const text = (value: string) => ({ kind: "text", text: value }) as const;

describe("the key", () => {
    test("is SHA-256 in base64url, and the same for the same input", () => {
        const key = createKeyOf(KEY_SPACE)(text("a"), undefined);
        expect(key).toMatch(/^[\w-]{43}$/);
        expect(createKeyOf({ ...KEY_SPACE })(text("a"), undefined)).toBe(key);
    });

    test.each(["tenant", "epoch", "provider", "model", "revision", "inputType"] as const)(
        "differs by %s",
        (field) => {
            const other = createKeyOf({ ...KEY_SPACE, [field]: "other" });
            expect(other(text("a"), undefined)).not.toBe(
                createKeyOf(KEY_SPACE)(text("a"), undefined),
            );
        },
    );

    test("differs by dimensions, kind and content", () => {
        const key = createKeyOf(KEY_SPACE);
        const keys = [
            key(text("1,2"), undefined),
            key(text("1,2"), 8),
            key({ kind: "tokens", ids: [1, 2] }, undefined),
            key({ kind: "tokens", ids: [12] }, undefined),
        ];
        expect(new Set(keys).size).toBe(keys.length);
    });

    test("no shift of characters between fields makes two spaces one", () => {
        fc.assert(
            fc.property(fc.string(), fc.string(), fc.string(), (model, revision, content) => {
                const joined = createKeyOf({ ...KEY_SPACE, model: model + revision, revision: "" });
                const apart = createKeyOf({ ...KEY_SPACE, model, revision });
                fc.pre(revision !== "");
                expect(joined(text(content), undefined)).not.toBe(apart(text(content), undefined));
            }),
            propertyRuns(),
        );
    });
});

describe("normal form", () => {
    test.each([
        ["  two\t rooms\n", "two rooms"],
        ["cafe\u0301", "caf\u00e9"],
        ["a\u00a0b\u2003c", "a b c"],
        ["broken \ud800 half", "broken \ufffd half"],
        ["C++ and C#", "C++ and C#"],
        ["Straße", "Straße"],
    ])("%j is embedded as %j", (written, normal) => {
        expect(normaliseText(written)).toBe(normal);
    });

    test("is NFC with single spaces, unless there are more than 30 marks in a row", () => {
        const marks = fc.string({
            unit: fc.constantFrom(..."\u0301\u0316\u0344\u0f71\u{1d165}\u0e33"),
        });
        const unit = fc.oneof(
            fc.string({ unit: "binary" }),
            fc.string({ unit: "grapheme" }),
            marks,
        );
        fc.assert(
            fc.property(fc.array(unit), (parts) => {
                const text = parts.join("");
                fc.pre(!/\p{M}{31}/u.test(text.normalize("NFC")) && !/\p{M}{31}/u.test(text));
                const composed = text.toWellFormed().normalize("NFC");
                expect(normaliseText(text)).toBe(composed.replace(/\s+/g, " ").trim());
            }),
            propertyRuns(),
        );
    });

    test.each([
        [30, ""],
        [31, "\u034f"],
        [90, "\u034f\u034f"],
        [91, "\u034f\u034f\u034f"],
    ])("of %d marks in a row, anywhere, has %j in them", (count, ends) => {
        for (let before = 0; before < 64; before += 1) {
            for (const mark of ["\u0301", "\u{1d167}"]) {
                const text = `${"é".repeat(before)}q${mark.repeat(count)}é`;
                const normal = normaliseText(text);
                expect(normal.replace(/[^\u034f]/g, "")).toBe(ends);
                expect(normal.replaceAll("\u034f", "")).toBe(text);
                expect(normal).not.toMatch(/[\p{M}--\u034f]{31}/v);
            }
        }
    });

    test("is idempotent and has no whitespace at its ends", () => {
        fc.assert(
            fc.property(fc.string({ unit: "binary" }), (written) => {
                const normal = normaliseText(written);
                expect(normaliseText(normal)).toBe(normal);
                expect(normal).toBe(normal.trim());
            }),
            propertyRuns(),
        );
    });
});

const written = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({
        unit: fc.constantFrom("a", "B", "İ", "Σ", " ", ".", "(", ")", '"', "'", "?", "…", "«", "»"),
    }),
);

describe("folding", () => {
    test.each([
        ["case", "Two ROOMS, Straße", "two rooms, straße"],
        ["punctuation", "Two rooms, please?!", "Two rooms please"],
        ["punctuation", '("Quoted"), [so] …', "Quoted so …"],
        [
            "punctuation",
            "C++ is not C# at 3.5 o'clock, -5 °C",
            "C++ is not C# at 3.5 o'clock -5 °C",
        ],
        ["punctuation", "wait , what", "wait , what"],
        ["punctuation", "?!", "?"],
        ["punctuation", "空房間。", "空房間"],
    ] as const)("of %s makes %j %j", (folding, written, folded) => {
        expect(createNormaliser([folding])(written)).toBe(folded);
    });

    test("is off by default, and nothing changes", () => {
        expect(createNormaliser([])).toBe(normaliseText);
    });

    test.each([[["case"]], [["punctuation"]], [FOLDINGS]] as const)(
        "of %j: the keyed text is the embedded one, normalised, and folding is idempotent",
        (foldings) => {
            const normalise = createNormaliser(foldings);
            fc.assert(
                fc.property(written, (raw) => {
                    const folded = normalise(raw);
                    expect(normalise(folded)).toBe(folded);
                    // Therefore its entry is also correct for pods without folding.
                    expect(normaliseText(folded)).toBe(folded);
                    expect(folded === "").toBe(normaliseText(raw) === "");
                }),
                propertyRuns(),
            );
        },
    );

    test("joins texts that differ in the folded parts, and no others", () => {
        const [cases, marks] = [createNormaliser(["case"]), createNormaliser(["punctuation"])];
        fc.assert(
            fc.property(
                fc.array(fc.stringMatching(/^[a-z0-9]{1,6}$/), { minLength: 1 }),
                (words) => {
                    const plain = words.join(" ");
                    expect(cases(plain.toUpperCase())).toBe(plain);
                    expect(marks(`"${words.join(", ")}!"`)).toBe(plain);
                    expect(marks(plain.toUpperCase())).toBe(plain.toUpperCase());
                    expect(cases(`${plain}!`)).toBe(`${plain}!`);
                },
            ),
            propertyRuns(),
        );
    });
});
