import { readFileSync } from "node:fs";
import path from "node:path";

import * as onnx from "onnxruntime-node";

import { quantiseModel } from "../../../app/src/reuse/model/quantiseModel.ts";
import { batchByLength } from "../../../app/src/upstream/local/batchByLength.ts";
import { meanPool } from "../../../app/src/upstream/local/meanPooling.ts";
import { createTokenizer, type Tokenize } from "../../../app/src/upstream/local/tokenizer.ts";
import { fetchModel, type EncoderModel } from "./models.ts";

/** Texts are cut after this many tokens; no text of the data sets is much longer. */
const MAX_TOKENS = 128;

export interface Encoder {
    /** @returns the vectors of all texts, of length 1, one after the other */
    readonly encode: (texts: readonly string[]) => Promise<Float32Array<ArrayBuffer>>;
}

/** Loads a model on one thread. */
export async function createEncoder(model: EncoderModel): Promise<Encoder> {
    const folder = fetchModel(model);
    const tokenize = createTokenizer(readFileSync(path.join(folder, "tokenizer.json"), "utf8"));
    process.env.ORT_DISABLE_TELEMETRY = "1";
    const file = readFileSync(path.join(folder, "model.onnx"));
    const weights = model.isQuantised === true ? quantiseModel(file) : file;
    const session = await onnx.InferenceSession.create(weights, {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
    });

    async function encodeBatch(texts: readonly string[]): Promise<readonly Float32Array[]> {
        const rows = texts.map((text) => encodeIds(tokenize, model.prefix + text));
        const width = Math.max(...rows.map(({ length }) => length));
        const ids = new BigInt64Array(rows.length * width);
        const mask = new BigInt64Array(rows.length * width);
        rows.forEach((row, at) => {
            row.forEach((id, column) => {
                ids[at * width + column] = BigInt(id);
                mask[at * width + column] = 1n;
            });
        });
        const tensor = (data: BigInt64Array) =>
            new onnx.Tensor("int64", data, [rows.length, width]);
        const [output = ""] = session.outputNames;
        const outputs = await session.run({
            input_ids: tensor(ids),
            attention_mask: tensor(mask),
            token_type_ids: tensor(new BigInt64Array(ids.length)),
        });
        const hidden = outputs[output];
        if (!(hidden?.data instanceof Float32Array)) throw new Error("The output is not float32");
        const { data } = hidden;
        const dimensions = hidden.dims[2] ?? 0;
        return rows.map((row, at) =>
            // The mean of one row is that row, scaled to length 1.
            meanPool(
                data,
                at * width * dimensions,
                model.pooling === "mean" ? row.length : 1,
                dimensions,
            ),
        );
    }

    return {
        encode: async (texts) => {
            const vectors: Float32Array[] = [];
            for (const batch of batchByLength(texts)) {
                const encoded = await encodeBatch(batch.map((place) => texts[place] ?? ""));
                batch.forEach((place, at) => (vectors[place] = encoded[at] ?? new Float32Array()));
            }
            const dimensions = vectors[0]?.length ?? 0;
            const all = new Float32Array(texts.length * dimensions);
            vectors.forEach((vector, at) => all.set(vector, at * dimensions));
            return all;
        },
    };
}

function encodeIds(tokenize: Tokenize, text: string): readonly number[] {
    const ids = tokenize(text);
    return ids.length <= MAX_TOKENS ? ids : [...ids.slice(0, MAX_TOKENS - 1), ...ids.slice(-1)];
}
