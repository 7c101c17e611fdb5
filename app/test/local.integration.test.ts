import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { pino } from "pino";

import { batchByLength } from "../src/upstream/local/batches.ts";
import { localUpstream } from "../src/upstream/local/local.ts";
import { meanPool } from "../src/upstream/local/pool.ts";
import type { Upstream } from "../src/upstream/upstream.ts";
import { embeddingOf } from "../src/vector/embedding.ts";
import { entryCodec, writerOf } from "../src/vector/entry.ts";
import type { Precision } from "../src/vector/precision.ts";
import { modelDirectory } from "./support/model.ts";
import { scopeFor } from "./support/scope.ts";
import { cosine, spearman } from "./support/statistics.ts";
import { propertyRuns } from "../../tests/support/property.ts";

const DATA = join(import.meta.dirname, "../../../shared/data/stsb.jsonl.gz");
/** The published model's own figure on the dev part. */
const LEAST_SPEARMAN = 0.866;
const DEV_PAIRS = 1_500;

let model: Upstream;

beforeAll(async () => {
    const log = pino({ level: "silent" });
    model = await localUpstream({ directory: modelDirectory(), threads: 2, log });
    await model.start();
});

afterAll(() => model.close());

async function vectors(texts: readonly string[]): Promise<readonly Float32Array<ArrayBuffer>[]> {
    const inputs = texts.map((text) => ({ kind: "text", text }) as const);
    return (await model.embed(inputs, scopeFor())).map(({ vector }) => vector);
}

describe("the local model", () => {
    test("has 384 dimensions, unit length, and knows what is alike", async () => {
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

    test("gives a text the same vector alone as in a batch of any widths", async () => {
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

    test("reads the first 256 tokens of a longer text and says so", async () => {
        const long = "garden ".repeat(1_000).trim();
        const inputs = [long, "garden ".repeat(2_000).trim(), "garden"].map(
            (text) => ({ kind: "text", text }) as const,
        );
        const [first, second, short] = await model.embed(inputs, scopeFor());
        expect([first?.truncated, second?.truncated, short?.truncated]).toEqual([
            true,
            true,
            false,
        ]);
        expect([first?.tokens, short?.tokens]).toEqual([256, 3]);
        expect(cosine(first?.vector ?? [], second?.vector ?? [])).toBeGreaterThan(0.999_999);
    });

    test("refuses a text of more than 8,192 tokens as OpenAI does", async () => {
        await expect(vectors(["word ".repeat(8_200).trim()])).rejects.toMatchObject({
            status: 400,
            code: "context_length_exceeded",
        });
    });

    test("refuses another length of vectors, and takes its own", () => {
        expect(model.dimensionsFault(256)).toMatch(/384 dimensions only/);
        expect(model.dimensionsFault(384)).toBeUndefined();
    });

    const sts = existsSync(DATA) ? test : test.skip;
    if (!existsSync(DATA)) process.stderr.write(`STS-B is skipped: ${DATA} is not there\n`);
    sts(
        `agrees with people on STS-B as well as published (Spearman ≥ ${LEAST_SPEARMAN})`,
        async () => {
            const rows = gunzipSync(readFileSync(DATA))
                .toString()
                .trim()
                .split("\n")
                .slice(-DEV_PAIRS);
            const pairs = rows.map(
                (row) => JSON.parse(row) as { a: string; b: string; score: number },
            );
            const a = await vectors(pairs.map((pair) => pair.a));
            const b = await vectors(pairs.map((pair) => pair.b));
            const ours = a.map((vector, index) => cosine(vector, b[index] ?? []));
            const theirs = pairs.map(({ score }) => score);
            expect(pairs).toHaveLength(DEV_PAIRS);
            expect(spearman(ours, theirs)).toBeGreaterThanOrEqual(LEAST_SPEARMAN);
            // What docs/service/caching.md says of each stored form.
            for (const [precision, mostLoss] of STORED_LOSS) {
                const [storedA, storedB] = [a.map(storedAs(precision)), b.map(storedAs(precision))];
                const losses = a.map((vector, at) => 1 - cosine(vector, storedA[at] ?? []));
                expect(Math.max(...losses)).toBeLessThan(mostLoss);
                const stored = storedA.map((vector, at) => cosine(vector, storedB[at] ?? []));
                expect(spearman(stored, theirs)).toBeGreaterThanOrEqual(LEAST_SPEARMAN);
            }
        },
        110_000,
    );
});

/** Largest loss of the cosine between a vector and its stored form, over real texts. */
const SPACE = "0123456789abcdef";
const STORED_LOSS = [
    ["float16", 1e-7],
    ["int8", 1e-4],
] as const;

function storedAs(precision: Precision): (vector: Float32Array<ArrayBuffer>) => Float32Array {
    const { seal } = entryCodec({ precision, writer: writerOf(["test"]) });
    return (vector) => seal("key", embeddingOf(vector, 1, false), SPACE).embedding.vector;
}

describe("batches", () => {
    test("hold every text once, and stay short", () => {
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
    test("leaves padding out and scales to length 1", () => {
        const hidden = Float32Array.from([3, 0, 0, 4, 99, 99]);
        expect(Array.from(meanPool(hidden, 0, 2, 2))).toEqual([Math.fround(0.6), Math.fround(0.8)]);
    });
});
