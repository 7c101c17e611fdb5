import { readFile } from "node:fs/promises";

import { loadModel, type Model } from "../../upstream/local/model.ts";
import { digestFiles } from "../../upstream/local/modelFiles.ts";
import type { WorkerData } from "../../upstream/local/messages.ts";
import { quantiseModel } from "../model/quantiseModel.ts";
import { mostTokens } from "./tokenLimit.ts";

/** Computes signatures with the local model. */
export interface Encoder {
    /** Length of a signature. */
    readonly dimensions: number;
    /** Of the model and its quantisation: signatures of two revisions are not comparable. */
    readonly revision: string;
    /** @returns undefined for a text with more tokens than can be computed in time: see mostTokens */
    readonly encode: (texts: readonly string[]) => Promise<readonly (EncodedText | undefined)[]>;
}

export interface EncodedText {
    /** Of length 1. */
    readonly signature: Float32Array<ArrayBuffer>;
    /** Without those that mark its start and end. */
    readonly tokens: number;
}

const MARKS = 2;
/** To be changed with quantiseModel.ts, if the signatures change. */
const QUANTISATION = "int8-1";

/**
 * Loads the model with weights of eight bits, which are read faster than those of 32 bits.
 *
 * @throws Error if the model cannot be read
 */
export async function loadEncoder(files: WorkerData): Promise<Encoder> {
    const digest = await digestFiles(files);
    const file = await readFile(files.model);
    const weights = quantiseModel(file);
    // Freed now, because garbage outside of the heap is not collected soon.
    file.buffer.transfer(0);
    const model = await loadModel(files, weights);
    weights.buffer.transfer(0);
    return createEncoder(model, `${digest}-${QUANTISATION}`);
}

export function createEncoder(model: Model, revision: string): Encoder {
    const { dimensions, embed, countTokens } = model;
    return {
        dimensions,
        revision,
        encode: async (texts) => {
            const most = mostTokens(texts.length);
            const isShort = texts.map((text) => countTokens(text) <= most);
            const short = texts.filter((_, at) => isShort[at]);
            if (short.length === 0) return texts.map(() => undefined);
            const result = await embed({ texts: short });
            if (result.kind !== "embedded")
                throw new Error(`The model returned no signatures: ${result.kind}`);
            const { vectors, tokens } = result;
            const encoded = short.map((_, at) => ({
                signature: vectors.slice(at * dimensions, (at + 1) * dimensions),
                tokens: Math.max(1, (tokens[at] ?? 0) - MARKS),
            }));
            return isShort.map((one) => (one ? encoded.shift() : undefined));
        },
    };
}
