import { readFile } from "node:fs/promises";

import * as onnx from "onnxruntime-node";

import { MAX_SEQUENCE, MAX_TOKENS } from "./limits.ts";
import type { WorkerResponse, WorkerData, WorkerRequest } from "./messages.ts";
import { meanPool } from "./meanPooling.ts";
import { createTokenizer } from "./tokenizer.ts";

interface Encoded {
    readonly ids: readonly number[];
    readonly truncated: boolean;
}

export interface Model {
    readonly dimensions: number;
    readonly embed: (request: WorkerRequest) => Promise<WorkerResponse>;
    /** Including start and end tokens. */
    readonly countTokens: (text: string) => number;
}

/** Workers provide the parallelism; more threads per worker would compete for the same cores. */
const SESSION_OPTIONS = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
} as const;

/**
 * Loads the sentence encoder: tokenizer, transformer, mean pooling, normalisation.
 *
 * @param weights a changed ONNX file. Default: the model's file
 */
export async function loadModel(data: WorkerData, weights?: Uint8Array): Promise<Model> {
    const tokenize = createTokenizer(await readFile(data.tokenizer, "utf8"));
    const session = await (weights
        ? onnx.InferenceSession.create(weights, SESSION_OPTIONS)
        : onnx.InferenceSession.create(data.model, SESSION_OPTIONS));
    const [probe] = await run(session, [{ ids: tokenize("ready"), truncated: false }]);
    const dimensions = probe?.length ?? 0;

    return {
        dimensions,
        countTokens: (text) => tokenize(text, MAX_TOKENS).length,
        embed: async ({ texts }) => {
            const encoded: Encoded[] = [];
            for (const text of texts) {
                const ids = tokenize(text, MAX_TOKENS);
                if (ids.length > MAX_TOKENS) return { kind: "tooLong" };
                encoded.push(truncate(ids));
            }
            const rows = await run(session, encoded);
            const vectors = new Float32Array(rows.length * dimensions);
            rows.forEach((row, index) => vectors.set(row, index * dimensions));
            return {
                kind: "embedded",
                vectors,
                tokens: encoded.map(({ ids }) => ids.length),
                truncated: encoded.map(({ truncated }) => truncated),
            };
        },
    };
}

/** Keeps the end token, as in the training of the model. */
function truncate(ids: readonly number[]): Encoded {
    if (ids.length <= MAX_SEQUENCE) return { ids, truncated: false };
    return { ids: [...ids.slice(0, MAX_SEQUENCE - 1), ...ids.slice(-1)], truncated: true };
}

async function run(
    session: onnx.InferenceSession,
    batch: readonly Encoded[],
): Promise<readonly Float32Array[]> {
    const width = Math.max(...batch.map(({ ids }) => ids.length));
    const size = batch.length * width;
    const ids = new BigInt64Array(size);
    const mask = new BigInt64Array(size);
    batch.forEach((item, row) => {
        item.ids.forEach((id, column) => {
            ids[row * width + column] = BigInt(id);
            mask[row * width + column] = 1n;
        });
    });
    const shape = [batch.length, width];
    const [output] = session.outputNames;
    if (output === undefined) throw new Error("The model has no output");
    const outputs = await session.run(
        {
            input_ids: new onnx.Tensor("int64", ids, shape),
            attention_mask: new onnx.Tensor("int64", mask, shape),
            token_type_ids: new onnx.Tensor("int64", new BigInt64Array(size), shape),
        },
        [output],
    );
    const hidden = outputs[output];
    if (!(hidden?.data instanceof Float32Array))
        throw new Error("The model's output is not float32");
    const dimensions = hidden.dims[2] ?? 0;
    const values = hidden.data;
    return batch.map((item, row) =>
        meanPool(values, row * width * dimensions, item.ids.length, dimensions),
    );
}
