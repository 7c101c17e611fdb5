import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import { createTextSealing, type TextRecord } from "../../src/reuse/thread/sealing.ts";

const DIMENSIONS = 8;
const SECRET = "a-secret-of-more-than-32-characters-for-tests";
const sealing = createTextSealing(SECRET, "v1");

const records: fc.Arbitrary<TextRecord> = fc.record({
    text: fc.string({ unit: "grapheme", maxLength: 256 }),
    signature: fc.float32Array({
        minLength: DIMENSIONS,
        maxLength: DIMENSIONS,
        min: -1,
        max: 1,
        noNaN: true,
    }),
    ownLoss: fc.float({ min: -10, max: 1, noNaN: true }),
});

describe("a sealed text", () => {
    test("opens as it was, with the signature at half the precision", () => {
        fc.assert(
            fc.property(records, fc.string(), (record, context) => {
                const opened = sealing.open(sealing.seal(record, context), context);
                expect(opened?.text).toBe(record.text);
                expect(opened?.ownLoss).toBe(record.ownLoss);
                expect(opened?.signature).toEqual(
                    new Float32Array(new Float16Array(record.signature)),
                );
            }),
            propertyRuns(300),
        );
    });

    test("does not show the text, and does not open in another place or with another secret", () => {
        const record = {
            text: "two rooms near the station",
            signature: new Float32Array(DIMENSIONS),
            ownLoss: -2,
        };
        const sealed = sealing.seal(record, "tenant a");
        expect(Buffer.from(sealed).includes("station")).toBe(false);
        expect(sealing.open(sealed, "tenant b")).toBeUndefined();
        const other = createTextSealing(`${SECRET}!`, "v1");
        expect(other.open(sealed, "tenant a")).toBeUndefined();
    });

    test("of another version opens without its signature, whose length may differ", () => {
        const record = { text: "a", signature: new Float32Array(3), ownLoss: -2 };
        const other = createTextSealing(SECRET, "v2");
        expect(other.open(sealing.seal(record, "a"), "a")).toEqual({
            text: "a",
            signature: undefined,
            ownLoss: -2,
        });
    });

    test("that was changed, cut or made by others does not open", () => {
        const changes = fc.tuple(records, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat());
        fc.assert(
            fc.property(changes, ([record, at, flip, cut]) => {
                const sealed = sealing.seal(record, "a");
                const changed = sealed.slice();
                const place = at % changed.length;
                changed[place] = (changed[place] ?? 0) ^ flip;
                expect(sealing.open(changed, "a")).toBeUndefined();
                expect(sealing.open(sealed.slice(0, cut % sealed.length), "a")).toBeUndefined();
            }),
            propertyRuns(300),
        );
        fc.assert(
            fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
                expect(sealing.open(bytes, "a")).toBeUndefined();
            }),
            propertyRuns(300),
        );
    });
});
