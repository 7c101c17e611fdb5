import { describe, expect, test } from "@jest/globals";

import { countUnformattedNumbers, formatVectors } from "../../src/http/handler/responseBody.ts";
import { createEmbedding, shorten } from "../../src/vector/embedding.ts";
import { trueVector } from "../support/vectors.ts";

const hits = (count: number, dimensions: number) => {
    const vector = trueVector("any text", dimensions);
    return Array.from({ length: count }, () => ({
        embedding: createEmbedding(vector.slice(), 1, false),
        status: "HIT-L1" as const,
    }));
};

describe("The vectors of a response", () => {
    test("count until they exist in its length and encoding", async () => {
        const resolved = hits(4, 100);
        const form = { encoding: "float", shortenTo: 40 } as const;
        expect(countUnformattedNumbers(resolved, form)).toBe(4 * 40);
        await formatVectors(resolved, form);
        expect(countUnformattedNumbers(resolved, form)).toBe(0);
        expect(countUnformattedNumbers(resolved, { ...form, encoding: "base64" })).toBe(4 * 4);
        expect(countUnformattedNumbers(resolved, { ...form, shortenTo: undefined })).toBe(4 * 100);
        // A form that is nearly as long as the vector is not kept with it.
        const long = { ...form, shortenTo: 99 };
        await formatVectors(resolved, long);
        expect(countUnformattedNumbers(resolved, long)).toBe(4 * 99);
    });

    test.each(["float", "base64"] as const)(
        "are shortened and written to %s in many turns",
        async (encoding) => {
            const resolved = hits(1_000, 1_536);
            let turns = 0;
            let running = true;
            const next = (): void => {
                turns += 1;
                if (running) setImmediate(next);
            };
            next();
            const written = await formatVectors(resolved, { encoding, shortenTo: 1_535 });
            running = false;
            // In one turn, they would take more than 10 ms.
            expect(turns).toBeGreaterThan(4);
            expect(written).toHaveLength(resolved.length);
            const [whole] = hits(1, 1_536);
            const short = whole && shorten(whole.embedding, 1_535).vector;
            expect(written.at(-1)?.embedding.vector).toEqual(short);
            expect(countUnformattedNumbers(written, { encoding, shortenTo: 1_535 })).toBe(0);
        },
    );
});
