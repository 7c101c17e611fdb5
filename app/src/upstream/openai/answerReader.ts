import { discard } from "../../discard.ts";
import { openThread, type Failure } from "../../thread.ts";
import { CallTooLargeError, UpstreamError } from "../upstream.ts";
import { bad, readAnswer, type Answer } from "./answer.ts";

/** Reads the answers of all endpoints. */
export interface AnswerReader {
    /**
     * @param json which nobody reads afterwards
     * @throws UpstreamError (rejection) as `readAnswer`
     */
    readonly read: (json: Buffer, count: number) => Promise<Answer>;
    readonly close: () => Promise<void>;
}

export interface AnswerTask {
    readonly json: Uint8Array;
    readonly count: number;
}

export type AnswerOutcome = { readonly answer: Answer } | { readonly wrong: string } | Failure;

/** Some 2 ms: eight vectors of 1,536 numbers in base64, three of them as numbers. */
const MAX_BYTES_IN_TURN = 64 * 1024;
/** 256 vectors of 3,072 numbers are 16 MiB as text, and as much again as values. */
const MAX_HEAP_MEBIBYTES = 128;
const OUT_OF_MEMORY = "ERR_WORKER_OUT_OF_MEMORY";

/** Reads large answers in a thread: 256 vectors that come as numbers would hold the event loop for 50 ms. */
export function answerReader(maxHeapMebibytes = MAX_HEAP_MEBIBYTES): AnswerReader {
    const thread = openThread<AnswerTask, AnswerOutcome>(
        new URL("answerWorker.ts", import.meta.url),
        maxHeapMebibytes,
    );
    return {
        read: async (json, count) => {
            if (json.length <= MAX_BYTES_IN_TURN) {
                const answer = readAnswer(json, count);
                discard(json);
                return answer;
            }
            const { buffer, byteLength } = json;
            const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
            const outcome = await thread.ask({ json, count }, isWhole ? [buffer] : []);
            if ("answer" in outcome) return outcome.answer;
            if ("wrong" in outcome)
                throw new UpstreamError(503, "bad_upstream_answer", outcome.wrong);
            const { failure } = outcome;
            // In parts it may fit; whatever else ended the thread would be asked for and paid again.
            if (failure.includes(OUT_OF_MEMORY) && count > 1)
                throw new CallTooLargeError("The answer takes too much memory", "inputs");
            throw bad(`it cannot be read: ${failure}`);
        },
        close: thread.close,
    };
}
