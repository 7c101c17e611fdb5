import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import { embeddingOf, vectorFault, type Embedding } from "../../vector/embedding.ts";
import {
    noEvents,
    outcomeOf,
    UpstreamError,
    type Upstream,
    type UpstreamEvents,
    type UpstreamOutcome,
} from "../upstream.ts";
import { batchByLength } from "./batches.ts";
import { workers, type EmbeddedTexts } from "./workers.ts";

export interface LocalOptions {
    /** Folder with model.onnx and tokenizer.json. */
    readonly directory: string;
    readonly threads: number;
    readonly log: Log;
    readonly events?: UpstreamEvents;
}

/** Name of the provider, and of its one endpoint. */
export const LOCAL = "local";

/** The sentence encoder in worker threads of this process. */
export async function localUpstream(options: LocalOptions): Promise<Upstream> {
    const { directory, threads, log, events = noEvents } = options;
    const model = join(directory, "model.onnx");
    const tokenizer = join(directory, "tokenizer.json");
    const revision = await digest([model, tokenizer]);
    const pool = workers(threads, { model, tokenizer }, log);
    let native: number | undefined;
    let open = 0;

    async function embed(
        inputs: readonly Input[],
        deadline: number,
    ): Promise<readonly Embedding[]> {
        const texts = inputs.map(textOf);
        const embeddings: Embedding[] = [];
        // The call is the unit of fairness between requests, whatever it is made of.
        const call = {};
        await Promise.all(
            batchByLength(texts).map(async (places) => {
                const answer = await pool.run(
                    call,
                    places.map((place) => texts[place] ?? ""),
                    deadline,
                );
                places.forEach((place, row) => {
                    embeddings[place] = embeddingAt(answer, row, native ?? 0);
                });
            }),
        );
        return embeddings;
    }

    function moved(calls: number): void {
        open += calls;
        events.waiting(0, open, threads);
    }

    return {
        provider: LOCAL,
        revision,
        dimensions: () => native,
        acceptsTokens: false,
        shortens: false,
        dimensionsFault: (dimensions) =>
            native === undefined || dimensions === native
                ? undefined
                : `this model has vectors of ${native} dimensions only`,
        start: async () => {
            native = await pool.start();
        },
        embed: async (inputs, { deadline }) => {
            const begun = performance.now();
            const ended = (outcome: UpstreamOutcome): void =>
                events.attempted(LOCAL, outcome, (performance.now() - begun) / 1000);
            moved(1);
            try {
                const embeddings = await embed(inputs, deadline);
                ended("ok");
                events.called(inputs.length, 1);
                return embeddings;
            } catch (error) {
                ended(outcomeOf(error));
                throw error;
            } finally {
                moved(-1);
            }
        },
        close: () => pool.close(),
    };
}

function textOf(input: Input): string {
    if (input.kind === "text") return input.text;
    throw new UpstreamError(400, "invalid_input", "This model takes texts, not token ids");
}

function embeddingAt(answer: EmbeddedTexts, row: number, dimensions: number): Embedding {
    const vector = answer.vectors.slice(row * dimensions, (row + 1) * dimensions);
    const fault = vectorFault(vector, dimensions);
    const tokens = answer.tokens[row];
    const truncated = answer.truncated[row];
    if (fault !== undefined || tokens === undefined || truncated === undefined) {
        const message = `The local model gave a vector that cannot be used: ${fault ?? "no tokens"}`;
        throw new UpstreamError(503, "bad_vector", message);
    }
    return embeddingOf(vector, tokens, truncated);
}

/** Names the weights by their content: a file replaced under the same name is another revision. */
async function digest(paths: readonly string[]): Promise<string> {
    const hash = createHash("sha256");
    for (const path of paths) {
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
