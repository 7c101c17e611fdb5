import { UpstreamError } from "../upstream.ts";
import { readAnswer } from "./response.ts";
import type { AnswerOutcome, AnswerTask } from "./responseParser.ts";

export function answer({ json, count }: AnswerTask): AnswerOutcome {
    try {
        const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
        return { answer: readAnswer(bytes, count) };
    } catch (error) {
        if (error instanceof UpstreamError) return { wrong: error.message };
        return { failure: String(error) };
    }
}

export function moved(outcome: AnswerOutcome): ArrayBufferLike[] {
    return "answer" in outcome ? outcome.answer.vectors.map(({ buffer }) => buffer) : [];
}
