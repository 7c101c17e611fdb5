import { UpstreamError } from "../upstream.ts";
import { parseResponse } from "./response.ts";
import type { ParseResult, ParseTask } from "./responseParser.ts";

export function run({ json, count }: ParseTask): ParseResult {
    try {
        const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
        return { answer: parseResponse(bytes, count) };
    } catch (error) {
        if (error instanceof UpstreamError) return { wrong: error.message };
        return { failure: String(error) };
    }
}

export function transferables(outcome: ParseResult): ArrayBufferLike[] {
    return "answer" in outcome ? outcome.answer.vectors.map(({ buffer }) => buffer) : [];
}
