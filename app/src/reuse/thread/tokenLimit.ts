/**
 * Tokens of all texts that are computed at once, each counted as the longest: about 40 ms of one core. Four English texts
 * of 250 characters are within; 256 Chinese characters are 256 tokens.
 */
const MAX_TOKENS_AT_ONCE = 208;

/** @returns the most tokens, with start and end, that each of so many texts may have */
export function mostTokens(texts: number): number {
    return Math.floor(MAX_TOKENS_AT_ONCE / texts);
}
