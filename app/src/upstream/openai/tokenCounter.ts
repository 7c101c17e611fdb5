import type { TokenCounter } from "../upstream.ts";
import { nativeDimensions } from "./models.ts";

/** The longest tokens of cl100k_base are 128 spaces. */
export const MAX_BYTES_PER_TOKEN = 128;
/** Merging takes quadratic time in the length of a word, and a word may be as long as a body. */
const SLICE_CHARACTERS = 512;
/** Maximum time per turn, plus one slice, before new texts get their turn. */
const TURN_MILLISECONDS = 2;
/** Treats "<|endoftext|>" in a text as text; the encoding would throw otherwise. */
const SPECIAL_TOKENS_AS_TEXT = { disallowedSpecial: new Set<string>() };

type CountSlice = (slice: string) => number;

/** A partially counted text. */
interface Count {
    readonly text: string;
    readonly max: number;
    from: number;
    tokens: number;
    readonly resolve: (tokens: number) => void;
    readonly reject: (error: unknown) => void;
}

/**
 * Counts tokens like OpenAI's embedding models (encoding cl100k_base). Long texts are split, if possible
 * before a space, where a token starts anyway. A split within a word can add a token, which is subtracted, so
 * the result never exceeds the model's count. Queued texts are counted in turn, one slice each.
 *
 * @returns undefined for a model with an unknown vocabulary, whose limits only the upstream knows
 */
export function createTokenCounter(
    model: string,
    load: () => Promise<CountSlice> = loadEncoding,
): TokenCounter | undefined {
    if (nativeDimensions(model) === undefined) return undefined;
    const encoding = memoise(load);
    const waiting: Count[] = [];

    function takeTurn(countSlice: CountSlice): void {
        const end = performance.now() + TURN_MILLISECONDS;
        do {
            const count = waiting.shift();
            if (count && !countNextSlice(count, countSlice)) waiting.push(count);
        } while (waiting.length > 0 && performance.now() < end);
        if (waiting.length > 0) setImmediate(takeTurn, countSlice);
    }

    return async (text, max) => {
        const countSlice = await encoding();
        return new Promise((resolve, reject) => {
            waiting.push({ text, max, from: 0, tokens: 0, resolve, reject });
            if (waiting.length === 1) setImmediate(takeTurn, countSlice);
        });
    };
}

/**
 * Counts the next slice of a text.
 *
 * @returns whether the text is finished
 */
function countNextSlice(count: Count, countSlice: CountSlice): boolean {
    const { text, from } = count;
    const to = findSliceEnd(text, from);
    const inWord = from > 0 && text[from] !== " ";
    try {
        count.tokens += countSlice(text.slice(from, to)) - (inWord ? 1 : 0);
    } catch (error) {
        count.reject(error);
        return true;
    }
    count.from = to;
    if (to < text.length && count.tokens <= count.max) return false;
    count.resolve(count.tokens);
    return true;
}

/** @returns the end of the slice: before a space in its second half if possible, never within a character */
function findSliceEnd(text: string, from: number): number {
    const end = from + SLICE_CHARACTERS;
    if (end >= text.length) return text.length;
    const blank = text.lastIndexOf(" ", end);
    if (blank > from + SLICE_CHARACTERS / 2) return blank;
    return text.codePointAt(end - 1) === text.charCodeAt(end - 1) ? end : end - 1;
}

/** The tables take about 40 MB, loaded only for models that need them. */
async function loadEncoding(): Promise<CountSlice> {
    const { countTokens, setMergeCacheSize } = await import("gpt-tokenizer/encoding/cl100k_base");
    // A cached word would retain the text that it was sliced from: up to 100,000 texts of 8 MiB.
    setMergeCacheSize(0);
    return (slice) => countTokens(slice, SPECIAL_TOKENS_AS_TEXT);
}

function memoise<T>(make: () => Promise<T>): () => Promise<T> {
    let result: Promise<T> | undefined;
    return () => (result ??= make());
}
