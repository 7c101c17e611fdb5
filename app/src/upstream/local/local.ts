import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import type { Scope } from "../../requestContext.ts";
import { createEmbedding, vectorError } from "../../vector/embedding.ts";
import { sizeOf } from "../batching/fairQueue.ts";
import {
    asUpstreamError,
    noEvents,
    outcomeOf,
    UpstreamError,
    type InputOutcome,
    type ReportOutcomes,
    type Upstream,
    type UpstreamEvents,
} from "../upstream.ts";
import { overloadedError, waitingRoom } from "../queueLimit.ts";
import { batchByLength } from "./batchByLength.ts";
import { workers, type EmbeddedTexts } from "./workerPool.ts";

export interface LocalOptions {
    /** Directory with model.onnx and tokenizer.json. */
    readonly directory: string;
    readonly threads: number;
    readonly log: Log;
    readonly events?: UpstreamEvents;
}

/** Name of the provider and of its only endpoint. */
export const LOCAL = "local";

/** The sentence encoder in worker threads of this process. */
export async function localUpstream(options: LocalOptions): Promise<Upstream> {
    const { directory, threads, log, events = noEvents } = options;
    const model = join(directory, "model.onnx");
    const tokenizer = join(directory, "tokenizer.json");
    const revision = await digest([model, tokenizer]);
    const pool = workers(threads, { model, tokenizer }, log);
    const room = waitingRoom();
    let native: number | undefined;
    let open = 0;

    /** Reports each model run when it has ended, so that a timeout affects its own run only. */
    async function embed(
        inputs: readonly Input[],
        { tenant, deadline }: Scope,
        report: ReportOutcomes,
    ): Promise<void> {
        const texts = inputs.map(textOf);
        const call = { tenant };
        await Promise.all(batchByLength(texts).map(run));

        async function run(places: readonly number[]): Promise<void> {
            try {
                const own = places.map((place) => texts[place] ?? "");
                const answer = await pool.run(call, own, deadline);
                report(
                    places,
                    places.map((_, row) => embeddingAt(answer, row, native ?? 0)),
                );
            } catch (thrown) {
                const error = asUpstreamError(thrown);
                if (error.status === 400 && places.length > 1) {
                    const middle = Math.ceil(places.length / 2);
                    await Promise.all([run(places.slice(0, middle)), run(places.slice(middle))]);
                } else
                    report(
                        places,
                        places.map(() => error),
                    );
            }
        }
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
        embed: async (inputs, scope, report) => {
            const bytes = inputs.reduce((sum, input) => sum + sizeOf(input), 0);
            const leave = room.enter(scope.tenant, { items: inputs.length, bytes });
            if (!leave) {
                events.overloaded();
                report([...inputs.keys()], Array(inputs.length).fill(overloadedError()));
                return;
            }
            const begun = performance.now();
            const failures: UpstreamError[] = [];
            moved(1);
            try {
                await embed(inputs, scope, (places, outcomes) => {
                    failures.push(...outcomes.filter((one) => one instanceof UpstreamError));
                    report(places, outcomes);
                });
            } finally {
                moved(-1);
                leave();
            }
            const [failure] = failures;
            const seconds = (performance.now() - begun) / 1000;
            events.attempted(LOCAL, failure ? outcomeOf(failure) : "ok", seconds);
            const embedded = inputs.length - failures.length;
            if (embedded > 0) events.called(embedded, 1);
        },
        state: () => ({ callsInFlight: open, threads }),
        close: () => pool.close(),
    };
}

function textOf(input: Input): string {
    if (input.kind === "text") return input.text;
    throw new UpstreamError(400, "invalid_input", "This model takes texts, not token ids");
}

function embeddingAt(answer: EmbeddedTexts, row: number, dimensions: number): InputOutcome {
    const vector = answer.vectors.slice(row * dimensions, (row + 1) * dimensions);
    const fault = vectorError(vector, dimensions);
    const tokens = answer.tokens[row];
    const truncated = answer.truncated[row];
    if (fault !== undefined || tokens === undefined || truncated === undefined) {
        const message = `The local model returned an invalid vector: ${fault ?? "no tokens"}`;
        return new UpstreamError(503, "bad_vector", message);
    }
    return createEmbedding(vector, tokens, truncated);
}

/** Identifies the weights by their content: a replaced file is a new revision. */
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
