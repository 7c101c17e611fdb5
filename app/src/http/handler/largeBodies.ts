import type { KeyOf, KeySpace } from "../../key/key.ts";
import type { Folding } from "../../key/normalise.ts";
import { createTaskThread, type Failure } from "../../threads/taskThread.ts";
import type { LargeBody } from "../protocol/requestBody.ts";
import { HttpError } from "../protocol/error.ts";
import type { RequestWithKeys } from "./parseAndKey.ts";
import {
    checkDimensions,
    type EmbeddingRequest,
    type ModelLimits,
} from "../protocol/embeddingRequest.ts";

/** `deployment`: like `openai`, with the model in the path. */
export type RequestFormat = "embed" | "openai" | "deployment";

/** @throws HttpError (rejection) */
export type ParseLargeBody = (body: LargeBody, keyOf: KeyOf) => Promise<RequestWithKeys>;

export interface LargeBodyParser {
    readonly parserFor: (format: RequestFormat) => ParseLargeBody;
    readonly close: () => Promise<void>;
}

/** Limits of the model that can be sent to a thread. */
export interface SerialisableLimits extends Pick<
    ModelLimits,
    "model" | "acceptsTokens" | "supportsShortening" | "maxBytesPerToken"
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
    readonly limits: SerialisableLimits;
    readonly foldings: readonly Folding[];
    readonly space: KeySpace;
}

export type BodyResult =
    | { readonly request: EmbeddingRequest; readonly keys: readonly string[] }
    | { readonly rejection: SerialisedHttpError }
    | Failure;

/** Fields of an HttpError: class instances cannot be sent between threads. */
export type SerialisedHttpError = Pick<
    HttpError,
    "status" | "message" | "type" | "param" | "code" | "retryAfterSeconds"
>;

/** Nine times the largest body: its text, its parsed value and the normalised texts. */
const MAX_HEAP_MEBIBYTES = 192;

/**
 * Parses large bodies in a separate thread, one at a time, of the tenants in turn. Parsing, normalising and hashing
 * 8 MiB would block the event loop. The thread starts with the first large body.
 */
export function createLargeBodyParser(
    limits: ModelLimits,
    foldings: readonly Folding[],
    maxHeapMebibytes = MAX_HEAP_MEBIBYTES,
): LargeBodyParser {
    const thread = createTaskThread<BodyTask, BodyResult>(
        new URL("largeBodyWorker.ts", import.meta.url),
        maxHeapMebibytes,
    );

    return {
        parserFor: (format) => async (body, keyOf) => {
            const { model, acceptsTokens, supportsShortening, maxBytesPerToken } = limits;
            const plain = {
                model,
                isModelKnown: format === "deployment",
                acceptsTokens,
                supportsShortening,
                maxBytesPerToken,
                dimensions: limits.dimensions(),
            };
            const { segments, length: bytes } = body;
            const { space } = keyOf;
            const task = { format, body: segments, bytes, limits: plain, foldings, space };
            const result = await thread.run(task, [], space.tenant);
            if ("failure" in result)
                throw new Error(`A large body could not be parsed: ${result.failure}`);
            if ("rejection" in result) {
                const { status, message } = result.rejection;
                throw new HttpError(status, message, result.rejection);
            }
            const { request, keys } = result;
            checkDimensions(request, limits);
            const items = request.inputs.map((input, at) => ({ key: keys[at] ?? "", input }));
            return { request, items };
        },
        close: thread.close,
    };
}
