import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import type { RequestContext } from "../../requestContext.ts";
import { createEmbedding, vectorError } from "../../vector/embedding.ts";
import { measureInputs } from "../inputSize.ts";
import {
    toUpstreamError,
    noEvents,
    classifyOutcome,
    UpstreamError,
    type InputOutcome,
    type ReportOutcomes,
    type Upstream,
    type UpstreamEvents,
} from "../upstream.ts";
import { overloadedError, createQueueLimit } from "../queueLimit.ts";
import { batchByLength } from "./batchByLength.ts";
import { digestFiles, filesIn } from "./modelFiles.ts";
import { createWorkerPool, type EmbeddedTexts } from "./workerPool.ts";

export interface LocalOptions {
    /** Directory with model.onnx and tokenizer.json. */
    readonly directory: string;
    readonly threads: number;
    readonly log: Log;
    readonly events?: UpstreamEvents;
}

/** Name of the provider and of its only endpoint. */
export const LOCAL_PROVIDER = "local";

/** The sentence encoder in worker threads of this process. */
export async function createLocalUpstream(options: LocalOptions): Promise<Upstream> {
    const { directory, threads, log, events = noEvents } = options;
    const files = filesIn(directory);
    const revision = await digestFiles(files);
    const pool = createWorkerPool(threads, files, log);
    const queueLimit = createQueueLimit();
    let nativeDimensions: number | undefined;
    let openCalls = 0;

    /** Reports each model run when it has ended, so that a timeout affects its own run only. */
    async function embed(
        inputs: readonly Input[],
        { tenant, deadline }: RequestContext,
        report: ReportOutcomes,
    ): Promise<void> {
        const texts = inputs.map(textOf);
        const call = { tenant };
        await Promise.all(batchByLength(texts).map(run));

        async function run(places: readonly number[]): Promise<void> {
            try {
                const ownTexts = places.map((place) => texts[place] ?? "");
                const result = await pool.run(call, ownTexts, deadline);
                report(
                    places,
                    places.map((_, row) => toEmbedding(result, row, nativeDimensions ?? 0)),
                );
            } catch (cause) {
                const error = toUpstreamError(cause);
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

    function changeOpenCalls(calls: number): void {
        openCalls += calls;
        events.onQueueChange(0, openCalls, threads);
    }

    return {
        provider: LOCAL_PROVIDER,
        revision,
        dimensions: () => nativeDimensions,
        acceptsTokens: false,
        supportsShortening: false,
        dimensionsError: (dimensions) =>
            nativeDimensions === undefined || dimensions === nativeDimensions
                ? undefined
                : `this model has vectors of ${nativeDimensions} dimensions only`,
        start: async () => {
            nativeDimensions = await pool.start();
        },
        embed: async (inputs, context, report) => {
            const release = queueLimit.admit(context.tenant, measureInputs(inputs));
            if (!release) {
                events.onOverload();
                report([...inputs.keys()], Array(inputs.length).fill(overloadedError()));
                return;
            }
            const startedAt = performance.now();
            const failures: UpstreamError[] = [];
            changeOpenCalls(1);
            try {
                await embed(inputs, context, (places, outcomes) => {
                    failures.push(...outcomes.filter((one) => one instanceof UpstreamError));
                    report(places, outcomes);
                });
            } finally {
                changeOpenCalls(-1);
                release();
            }
            const [failure] = failures;
            const seconds = (performance.now() - startedAt) / 1000;
            events.onAttempt(LOCAL_PROVIDER, failure ? classifyOutcome(failure) : "ok", seconds);
            const embedded = inputs.length - failures.length;
            if (embedded > 0) events.onCall(embedded, 1);
        },
        state: () => ({ callsInFlight: openCalls, threads }),
        close: () => pool.close(),
    };
}

function textOf(input: Input): string {
    if (input.kind === "text") return input.text;
    throw new UpstreamError(400, "invalid_input", "This model accepts texts, not token IDs");
}

function toEmbedding(result: EmbeddedTexts, row: number, dimensions: number): InputOutcome {
    const vector = result.vectors.slice(row * dimensions, (row + 1) * dimensions);
    const error = vectorError(vector, dimensions);
    const tokens = result.tokens[row];
    const truncated = result.truncated[row];
    if (error !== undefined || tokens === undefined || truncated === undefined) {
        const message = `The local model returned an invalid vector: ${error ?? "no tokens"}`;
        return new UpstreamError(503, "bad_vector", message);
    }
    return createEmbedding(vector, tokens, truncated);
}
