import { freeBuffer } from "../../memory/freeBuffer.ts";
import { createTaskThread, type Failure } from "../../threads/taskThread.ts";
import { CallTooLargeError, UpstreamError } from "../upstream.ts";
import { invalidResponseError, parseResponse, type ParsedResponse } from "./response.ts";

/** Parses the responses of all endpoints. */
export interface ResponseParser {
    /**
     * @param json must not be read afterwards
     * @throws UpstreamError (rejection) like `parseResponse`
     */
    readonly parse: (json: Buffer, count: number) => Promise<ParsedResponse>;
    readonly close: () => Promise<void>;
}

export interface ParseTask {
    readonly json: Uint8Array;
    readonly count: number;
}

export type ParseResult =
    { readonly answer: ParsedResponse } | { readonly wrong: string } | Failure;

/** About 2 ms: eight vectors of 1,536 numbers in base64, or three as numbers. */
const MAX_BYTES_IN_TURN = 64 * 1024;
/** 256 vectors of 3,072 numbers are 16 MiB of text, and the same again as values. */
const MAX_HEAP_MEBIBYTES = 128;
const OUT_OF_MEMORY = "ERR_WORKER_OUT_OF_MEMORY";

/** Parses large responses in a thread: 256 vectors as numbers would block the event loop for 50 ms. */
export function createResponseParser(maxHeapMebibytes = MAX_HEAP_MEBIBYTES): ResponseParser {
    const thread = createTaskThread<ParseTask, ParseResult>(
        new URL("responseWorker.ts", import.meta.url),
        maxHeapMebibytes,
    );
    return {
        parse: async (json, count) => {
            if (json.length <= MAX_BYTES_IN_TURN) {
                const answer = parseResponse(json, count);
                freeBuffer(json);
                return answer;
            }
            const { buffer, byteLength } = json;
            const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
            const result = await thread.run({ json, count }, isWhole ? [buffer] : []);
            if ("answer" in result) return result.answer;
            if ("wrong" in result)
                throw new UpstreamError(503, "bad_upstream_response", result.wrong);
            const { failure } = result;
            // Smaller calls may fit into memory; after other failures, a repeated call would be billed again
            // and fail again.
            if (failure.includes(OUT_OF_MEMORY) && count > 1)
                throw new CallTooLargeError("The response takes too much memory", "inputs");
            throw invalidResponseError(`it cannot be parsed: ${failure}`);
        },
        close: thread.close,
    };
}
