import { expect, test } from "@jest/globals";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import { createEncoder } from "../../src/reuse/thread/encoder.ts";

/** Of which four texts of 52 tokens are 208. */
const MOST = 208;

test("texts with too many tokens are not computed, and each of the others gets its signature", async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
        fc.asyncProperty(lengths, async (tokens) => {
            let computed = 0;
            // A text has as many tokens as characters, and its length is its signature.
            const encoder = createEncoder(
                {
                    dimensions: 1,
                    countTokens: (text) => text.length,
                    embed: ({ texts }) => {
                        const own = texts.map((text) => text.length);
                        computed = texts.length * Math.max(...own);
                        return Promise.resolve({
                            kind: "embedded",
                            vectors: Float32Array.from(own),
                            tokens: own,
                            truncated: own.map(() => false),
                        });
                    },
                },
                "r",
            );
            const encoded = await encoder.encode(tokens.map((length) => "x".repeat(length)));
            expect(computed).toBeLessThanOrEqual(MOST);
            expect(encoded.map((one) => one?.signature[0])).toEqual(
                tokens.map((length) => (length * tokens.length <= MOST ? length : undefined)),
            );
        }),
        propertyRuns(200),
    );
});
