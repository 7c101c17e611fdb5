import type { Input } from "../input.ts";

/** Byte-level vocabularies come to 3 to 5 bytes a token in most languages: rather too many than too few. */
const BYTES_PER_TOKEN = 3;

export function estimateTokens(text: string): number {
    return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

export function estimateInputTokens(input: Input): number {
    return input.kind === "text" ? estimateTokens(input.text) : input.ids.length;
}
