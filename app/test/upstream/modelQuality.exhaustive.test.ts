import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { expect, test } from "@jest/globals";
import { pino } from "pino";

import { createLocalUpstream } from "../../src/upstream/local/local.ts";
import { createEmbedding } from "../../src/vector/embedding.ts";
import { createEntryCodec, buildIdOf } from "../../src/vector/entry.ts";
import type { Precision } from "../../src/vector/precision.ts";
import { embedAll } from "../support/embedAll.ts";
import { modelDirectory } from "../support/model.ts";
import { createContext } from "../support/requestContext.ts";
import { cosine, spearman } from "../support/statistics.ts";

const DATA = join(import.meta.dirname, "../../../../shared/data/stsb.jsonl.gz");
/** The published model's own score on the dev set. */
const LEAST_SPEARMAN = 0.866;
const DEV_PAIRS = 1_500;
/** Its threads yield to other tests. */
const PATIENCE_MILLISECONDS = 200_000;

/** Largest loss of the cosine between a vector and its stored form, over real texts. */
const SPACE = "0123456789abcdef";
const STORED_LOSS = [
    ["float16", 1e-7],
    ["int8", 1e-4],
] as const;

function storedAs(precision: Precision): (vector: Float32Array<ArrayBuffer>) => Float32Array {
    const { encode } = createEntryCodec({ precision, buildId: buildIdOf(["test"]) });
    return (vector) => encode("key", createEmbedding(vector, 1, false), SPACE).embedding.vector;
}

const sts = existsSync(DATA) ? test : test.skip;
if (!existsSync(DATA)) process.stderr.write(`STS-B is skipped: ${DATA} is not there\n`);
sts(
    `the local model agrees with people on STS-B as well as published (Spearman ≥ ${LEAST_SPEARMAN})`,
    async () => {
        const log = pino({ level: "silent" });
        const model = await createLocalUpstream({ directory: modelDirectory(), threads: 2, log });
        await model.start();
        const vectors = async (texts: readonly string[]) => {
            const inputs = texts.map((text) => ({ kind: "text", text }) as const);
            return (await embedAll(model, inputs, createContext(PATIENCE_MILLISECONDS))).map(
                ({ vector }) => vector,
            );
        };
        const rows = gunzipSync(readFileSync(DATA)).toString().trim().split("\n").slice(-DEV_PAIRS);
        const pairs = rows.map((row) => JSON.parse(row) as { a: string; b: string; score: number });
        const a = await vectors(pairs.map((pair) => pair.a));
        const b = await vectors(pairs.map((pair) => pair.b));
        const ours = a.map((vector, index) => cosine(vector, b[index] ?? []));
        const theirs = pairs.map(({ score }) => score);
        expect(pairs).toHaveLength(DEV_PAIRS);
        expect(spearman(ours, theirs)).toBeGreaterThanOrEqual(LEAST_SPEARMAN);
        // The figures of docs/service/caching.md for each stored form.
        for (const [precision, mostLoss] of STORED_LOSS) {
            const [storedA, storedB] = [a.map(storedAs(precision)), b.map(storedAs(precision))];
            const losses = a.map((vector, at) => 1 - cosine(vector, storedA[at] ?? []));
            expect(Math.max(...losses)).toBeLessThan(mostLoss);
            const stored = storedA.map((vector, at) => cosine(vector, storedB[at] ?? []));
            expect(spearman(stored, theirs)).toBeGreaterThanOrEqual(LEAST_SPEARMAN);
        }
        await model.close();
    },
    300_000,
);
