import { userCacheFolder } from "@property-search/contract";
import { hash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { replaceFile } from "../../shared/replaceFile.ts";
import { createEncoder, type Encoder } from "./encoder.ts";
import type { EncoderModel } from "./models.ts";

const CACHE = path.join(userCacheFolder(), "property-search/vectors");
/** Texts of a file, so that an interrupted run loses little. */
const CHUNK = 500;

export interface VectorSource {
    /** @returns the vectors of all texts, one after the other */
    readonly vectorsOf: (texts: readonly string[]) => Promise<Float32Array>;
}

/** Vectors of a model, read from the user's cache if the same texts have been encoded before. */
export function createCachedVectors(
    model: EncoderModel,
    log: (line: string) => void,
): VectorSource {
    let encoder: Promise<Encoder> | undefined;

    async function vectorsOfChunk(texts: readonly string[]): Promise<Float32Array> {
        const digest = hash("sha256", JSON.stringify(texts), "hex").slice(0, 16);
        const file = path.join(CACHE, `${model.name}-${digest}.f32`);
        if (existsSync(file)) return new Float32Array(new Uint8Array(readFileSync(file)).buffer);
        const startedAt = performance.now();
        const vectors = await (await (encoder ??= createEncoder(model))).encode(texts);
        mkdirSync(CACHE, { recursive: true });
        replaceFile(file, new Uint8Array(vectors.buffer));
        const each = (performance.now() - startedAt) / texts.length;
        log(`${model.name}: encoded ${texts.length} texts, ${each.toFixed(1)} ms a text`);
        return vectors;
    }

    return {
        vectorsOf: async (texts) => {
            const chunks: Float32Array[] = [];
            for (let from = 0; from < texts.length; from += CHUNK)
                chunks.push(await vectorsOfChunk(texts.slice(from, from + CHUNK)));
            const all = new Float32Array(chunks.reduce((sum, { length }) => sum + length, 0));
            let at = 0;
            for (const chunk of chunks) {
                all.set(chunk, at);
                at += chunk.length;
            }
            return all;
        },
    };
}
