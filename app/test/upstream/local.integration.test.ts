import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { pino } from "pino";

import { batchByLength } from "../../src/upstream/local/batchByLength.ts";
import type { Input } from "../../src/input.ts";
import { createLocalUpstream } from "../../src/upstream/local/local.ts";
import { meanPool } from "../../src/upstream/local/meanPooling.ts";
import { UpstreamError, type Upstream } from "../../src/upstream/upstream.ts";
import { embedAll, outcomesOf } from "../support/embedAll.ts";
import { modelDirectory } from "../support/model.ts";
import { createContext } from "../support/requestContext.ts";
import { cosine } from "../support/statistics.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

let model: Upstream;

beforeAll(async () => {
    const log = pino({ level: "silent" });
    model = await createLocalUpstream({ directory: modelDirectory(), threads: 2, log });
    await model.start();
});

afterAll(() => model.close());

async function vectors(texts: readonly string[]): Promise<readonly Float32Array<ArrayBuffer>[]> {
    const inputs = texts.map((text) => ({ kind: "text", text }) as const);
    return (await embedAll(model, inputs, createContext())).map(({ vector }) => vector);
}

describe("the local model", () => {
    test("has 384 dimensions, unit length, and similar vectors for similar texts", async () => {
        const [room, flat, tax] = await vectors([
            "a room near the station",
            "a flat close to the train",
            "how do I file my taxes?",
        ]);
        if (!room || !flat || !tax) throw new Error("vectors are missing");
        expect(room).toHaveLength(384);
        expect(Math.hypot(...room)).toBeCloseTo(1, 5);
        expect(cosine(room, flat)).toBeGreaterThan(cosine(room, tax) + 0.3);
    });

    test("returns the same vector for a text alone and in a batch of any widths", async () => {
        const texts = Array.from(
            { length: 40 },
            (_, n) => `${"a bright flat with a view ".repeat(n % 9)}${n}`,
        );
        const together = await vectors(texts);
        for (const at of [0, 8, 39]) {
            const [alone] = await vectors([texts[at] ?? ""]);
            expect(cosine(alone ?? [], together[at] ?? [])).toBeGreaterThan(0.999_999);
        }
    });

    test("reads the first 256 tokens of a longer text and reports it", async () => {
        const long = "garden ".repeat(1_000).trim();
        const inputs = [long, "garden ".repeat(2_000).trim(), "garden"].map(
            (text) => ({ kind: "text", text }) as const,
        );
        const [first, second, short] = await embedAll(model, inputs, createContext());
        expect([first?.truncated, second?.truncated, short?.truncated]).toEqual([
            true,
            true,
            false,
        ]);
        expect([first?.tokens, short?.tokens]).toEqual([256, 3]);
        expect(cosine(first?.vector ?? [], second?.vector ?? [])).toBeGreaterThan(0.999_999);
    });

    test("rejects a text of more than 8,192 tokens like OpenAI", async () => {
        await expect(vectors(["word ".repeat(8_200).trim()])).rejects.toMatchObject({
            status: 400,
            code: "context_length_exceeded",
        });
    });

    const listing = "two bright rooms with a garden and a garage near the station ";
    const listings = (count: number): readonly Input[] =>
        Array.from({ length: count }, (_, n) => ({
            kind: "text",
            text: `${n} ${listing}`,
        }));

    test("embeds the others of a batch in which one text is too long", async () => {
        const inputs = [
            ...listings(3),
            { kind: "text", text: "word ".repeat(8_200).trim() } as const,
        ];
        const outcomes = await outcomesOf(model, inputs, createContext());
        const failed = outcomes.flatMap((one, at) => (one instanceof UpstreamError ? [at] : []));
        expect(failed).toEqual([3]);
    });

    test("keeps the finished part of a batch that is too large", async () => {
        await embedAll(model, listings(16), createContext());
        const begun = performance.now();
        await embedAll(model, listings(16), createContext());
        const took = performance.now() - begun;
        // Many times more than there is time for, and some time for a busy machine.
        const outcomes = await outcomesOf(model, listings(2_048), createContext(took * 8 + 1_000));
        const embedded = outcomes.filter((one) => !(one instanceof UpstreamError));
        expect(embedded.length).toBeGreaterThan(0);
        for (const one of outcomes) {
            if (one instanceof UpstreamError) expect(one.status).toBe(504);
        }
    });

    test("rejects other dimensions, and accepts its own", () => {
        expect(model.dimensionsError(256)).toMatch(/384 dimensions only/);
        expect(model.dimensionsError(384)).toBeUndefined();
    });
});

describe("batches", () => {
    test("contain every text once, and stay short", () => {
        fc.assert(
            fc.property(fc.array(fc.string({ maxLength: 3_000 })), (texts) => {
                const batches = batchByLength(texts);
                const places = batches.flat().toSorted((a, b) => a - b);
                expect(places).toEqual(texts.map((_, place) => place));
                expect(batches.every(({ length }) => length > 0 && length <= 16)).toBe(true);
            }),
            propertyRuns(),
        );
    });
});

describe("mean pooling", () => {
    test("excludes padding and scales to length 1", () => {
        const hidden = Float32Array.from([3, 0, 0, 4, 99, 99]);
        expect(Array.from(meanPool(hidden, 0, 2, 2))).toEqual([Math.fround(0.6), Math.fround(0.8)]);
    });
});
