import type { Input } from "../input.ts";

/** Byte-level vocabularies have 3 to 5 bytes per token in most languages; the estimate is rather too high. */
const BYTES_PER_TOKEN = 3;

export function estimateTokens(text: string): number {
    return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

export function estimateInputTokens(input: Input): number {
    return input.kind === "text" ? estimateTokens(input.text) : input.ids.length;
}
