import type { Input } from "../input.ts";

/** Byte-level vocabularies have 3 to 5 bytes per token in most languages; the estimate is rather too high. */
const BYTES_PER_TOKEN = 3;
/** Tokens that a provider may add to an input: special ones, a prompt of its own, and padding. */
const MAX_ADDED_TOKENS = 512;

export function estimateTokens(text: string): number {
    return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

export function estimateInputTokens(input: Input): number {
    return input.kind === "text" ? estimateTokens(input.text) : input.ids.length;
}

/** @returns more tokens than any model reads of the inputs: a token of a text has at least one byte */
export function maxTokens(inputs: readonly Input[]): number {
    return inputs.reduce(
        (sum, input) =>
            sum +
            MAX_ADDED_TOKENS +
            (input.kind === "text" ? Buffer.byteLength(input.text) : input.ids.length),
        0,
    );
}
