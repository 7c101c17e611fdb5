import { parentPort } from "node:worker_threads";

import { yieldToEventLoop } from "../../threadPriority.ts";
import { UpstreamError } from "../upstream.ts";
import { readAnswer } from "./answer.ts";
import type { AnswerOutcome, AnswerTask } from "./answerReader.ts";

function read({ json, count }: AnswerTask): AnswerOutcome {
    try {
        const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
        return { answer: readAnswer(bytes, count) };
    } catch (error) {
        if (error instanceof UpstreamError) return { wrong: error.message };
        return { failure: String(error) };
    }
}

yieldToEventLoop();
parentPort?.on("message", (task: AnswerTask) => {
    const outcome = read(task);
    const moved = "answer" in outcome ? outcome.answer.vectors.map(({ buffer }) => buffer) : [];
    parentPort?.postMessage(outcome, moved);
});
