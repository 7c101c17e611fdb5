/**
 * The published all-MiniLM-L6-v2 reads the first 256 word pieces of a text and ignores the rest, which
 * defines its vectors (https://www.sbert.net, max_seq_length of the model).
 */
export const MAX_SEQUENCE = 256;

/** OpenAI's limit of tokens per input. Longer texts are rejected instead of truncated. */
export const MAX_TOKENS = 8_192;
