/**
 * all-MiniLM-L6-v2 as published reads the first 256 word pieces of a text and ignores the rest, so
 * that is what its vectors mean (https://www.sbert.net, max_seq_length of the model).
 */
export const MAX_SEQUENCE = 256;

/** OpenAI's limit on one input, in tokens: longer texts are refused, not cut. */
export const MAX_TOKENS = 8_192;
