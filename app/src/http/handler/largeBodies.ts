import type { KeyOf, KeySpace } from "../../key/key.ts";
import type { Folding } from "../../key/normalise.ts";
import { openThread, type Failure } from "../../threads/taskThread.ts";
import type { LargeBody } from "../protocol/requestBody.ts";
import { HttpError } from "../protocol/error.ts";
import type { KeyedRequest } from "./parseAndKey.ts";
import {
    checkDimensions,
    type EmbeddingRequest,
    type ModelLimits,
} from "../protocol/embeddingRequest.ts";

/** `deployment`: like `openai`, with the model in the path. */
export type RequestFormat = "embed" | "openai" | "deployment";

/** @throws HttpError (rejection) */
export type LargeBodyReader = (body: LargeBody, keyOf: KeyOf) => Promise<KeyedRequest>;

export interface LargeBodies {
    readonly readerOf: (format: RequestFormat) => LargeBodyReader;
    readonly close: () => Promise<void>;
}

/** Limits of the model that can be sent to a thread. */
export interface PlainLimits extends Pick<
    ModelLimits,
    "model" | "acceptsTokens" | "shortens" | "mostBytesPerToken"
> {
    readonly isModelKnown: boolean;
    readonly dimensions: number | undefined;
}

/** Task of the thread. */
export interface BodyTask {
    readonly format: RequestFormat;
    /** Shared memory, which does not change until it has been parsed. */
    readonly body: readonly Uint8Array[];
    readonly bytes: number;
    readonly limits: PlainLimits;
    readonly foldings: readonly Folding[];
    readonly space: KeySpace;
}

export type BodyAnswer =
    | { readonly request: EmbeddingRequest; readonly keys: readonly string[] }
    | { readonly refusal: Refusal }
    | Failure;

/** Fields of an HttpError: class instances cannot be sent between threads. */
export type Refusal = Pick<
    HttpError,
    "status" | "message" | "type" | "param" | "code" | "retryAfterSeconds"
>;

/** Nine times the largest body: its text, its parsed value and the normalised texts. */
const MAX_HEAP_MEBIBYTES = 192;

/**
 * Parses large bodies in a separate thread, one at a time. Parsing, normalising and hashing 8 MiB would block
 * the event loop. The thread starts with the first large body.
 */
export function largeBodies(
    limits: ModelLimits,
    foldings: readonly Folding[],
    maxHeapMebibytes = MAX_HEAP_MEBIBYTES,
): LargeBodies {
    const thread = openThread<BodyTask, BodyAnswer>(
        new URL("largeBodyWorker.ts", import.meta.url),
        maxHeapMebibytes,
    );

    return {
        readerOf: (format) => async (body, keyOf) => {
            const { model, acceptsTokens, shortens, mostBytesPerToken } = limits;
            const plain = {
                model,
                isModelKnown: format === "deployment",
                acceptsTokens,
                shortens,
                mostBytesPerToken,
                dimensions: limits.dimensions(),
            };
            const { segments, length: bytes } = body;
            const { space } = keyOf;
            const task = { format, body: segments, bytes, limits: plain, foldings, space };
            const answer = await thread.ask(task);
            if ("failure" in answer)
                throw new Error(`A large body could not be parsed: ${answer.failure}`);
            if ("refusal" in answer) {
                const { status, message } = answer.refusal;
                throw new HttpError(status, message, answer.refusal);
            }
            const { request, keys } = answer;
            checkDimensions(request, limits);
            const items = request.inputs.map((input, at) => ({ key: keys[at] ?? "", input }));
            return { request, items };
        },
        close: thread.close,
    };
}
