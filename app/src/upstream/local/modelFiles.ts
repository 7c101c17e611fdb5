import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import type { WorkerData } from "./messages.ts";

/** The model's files in a directory. */
export function filesIn(directory: string): WorkerData {
    return { model: join(directory, "model.onnx"), tokenizer: join(directory, "tokenizer.json") };
}

/**
 * Identifies the weights by their content: a replaced file is a new revision.
 *
 * @throws Error with the remedy if a file cannot be read
 */
export async function digestFiles({ model, tokenizer }: WorkerData): Promise<string> {
    const hash = createHash("sha256");
    for (const path of [model, tokenizer]) {
        try {
            await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, {
                end: false,
            });
        } catch (error) {
            const reason = (error as NodeJS.ErrnoException).code ?? String(error);
            const message = `${path} cannot be read (${reason}); \`make model\` fetches the model`;
            throw new Error(message, { cause: error });
        }
    }
    return hash.digest("hex").slice(0, 16);
}
