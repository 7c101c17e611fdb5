import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { keyMaker, type KeySpace } from "../src/key/key.ts";
import { normaliseText } from "../src/key/normalise.ts";

const space: KeySpace = {
    tenant: "anonymous",
    epoch: "0.0",
    provider: "local",
    model: "m",
    revision: "1",
    inputType: "none",
};
const text = (value: string) => ({ kind: "text", text: value }) as const;

describe("the key", () => {
    test("is SHA-256 in base64url, and the same for the same input", () => {
        const key = keyMaker(space)(text("a"), undefined);
        expect(key).toMatch(/^[\w-]{43}$/);
        expect(keyMaker({ ...space })(text("a"), undefined)).toBe(key);
    });

    test.each(["tenant", "epoch", "provider", "model", "revision", "inputType"] as const)(
        "differs by %s",
        (field) => {
            const other = keyMaker({ ...space, [field]: "other" });
            expect(other(text("a"), undefined)).not.toBe(keyMaker(space)(text("a"), undefined));
        },
    );

    test("differs by dimensions, kind and content", () => {
        const key = keyMaker(space);
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
                const joined = keyMaker({ ...space, model: model + revision, revision: "" });
                const apart = keyMaker({ ...space, model, revision });
                fc.pre(revision !== "");
                expect(joined(text(content), undefined)).not.toBe(apart(text(content), undefined));
            }),
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

    test("is idempotent and has no white space at its ends", () => {
        fc.assert(
            fc.property(fc.string({ unit: "binary" }), (written) => {
                const normal = normaliseText(written);
                expect(normaliseText(normal)).toBe(normal);
                expect(normal).toBe(normal.trim());
            }),
        );
    });
});
