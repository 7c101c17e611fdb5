import type { TokenCounter } from "../upstream.ts";
import { nativeDimensions } from "./models.ts";

/** The longest of cl100k_base are 128 blanks. */
export const MOST_BYTES_PER_TOKEN = 128;
/** A merge takes time by the square of a word's length, and a word may be as long as a body. */
const SLICE_CHARACTERS = 512;
/** New texts wait no longer than this, and one slice, to have their turn too. */
const TURN_MILLISECONDS = 2;
/** "<|endoftext|>" in a text is text: without this the encoding throws. */
const SPECIAL_TOKENS_AS_TEXT = { disallowedSpecial: new Set<string>() };

type CountSlice = (slice: string) => number;

/** One text of which a part has been counted. */
interface Count {
    readonly text: string;
    readonly most: number;
    from: number;
    tokens: number;
    readonly resolve: (tokens: number) => void;
    readonly reject: (error: unknown) => void;
}

/**
 * Counts as OpenAI's embedding models do (encoding cl100k_base). Long texts are cut, before a blank if
 * possible, where a token begins anyway. A cut within a word can add a token: so many are taken off,
 * and what is told is never more than what the model counts. The texts that wait are counted in turn,
 * a slice each.
 *
 * @returns undefined for a model whose vocabulary is not known; then the upstream has the only word
 */
export function tokenCounter(
    model: string,
    load: () => Promise<CountSlice> = loadEncoding,
): TokenCounter | undefined {
    if (nativeDimensions(model) === undefined) return undefined;
    const encoding = lazily(load);
    const waiting: Count[] = [];

    function takeTurn(countSlice: CountSlice): void {
        const end = performance.now() + TURN_MILLISECONDS;
        do {
            const count = waiting.shift();
            if (count && !finished(count, countSlice)) waiting.push(count);
        } while (waiting.length > 0 && performance.now() < end);
        if (waiting.length > 0) setImmediate(takeTurn, countSlice);
    }

    return async (text, most) => {
        const countSlice = await encoding();
        return new Promise((resolve, reject) => {
            waiting.push({ text, most, from: 0, tokens: 0, resolve, reject });
            if (waiting.length === 1) setImmediate(takeTurn, countSlice);
        });
    };
}

/** Counts the next slice of a text. @returns whether it was the last one that matters */
function finished(count: Count, countSlice: CountSlice): boolean {
    const { text, from } = count;
    const to = cut(text, from);
    const inWord = from > 0 && text[from] !== " ";
    try {
        count.tokens += countSlice(text.slice(from, to)) - (inWord ? 1 : 0);
    } catch (error) {
        count.reject(error);
        return true;
    }
    count.from = to;
    if (to < text.length && count.tokens <= count.most) return false;
    count.resolve(count.tokens);
    return true;
}

/** @returns where the slice ends: before a blank of its second half, never within a character */
function cut(text: string, from: number): number {
    const end = from + SLICE_CHARACTERS;
    if (end >= text.length) return text.length;
    const blank = text.lastIndexOf(" ", end);
    if (blank > from + SLICE_CHARACTERS / 2) return blank;
    return text.codePointAt(end - 1) === text.charCodeAt(end - 1) ? end : end - 1;
}

/** Its tables are some 40 MB: only a model that needs them pays for them. */
async function loadEncoding(): Promise<CountSlice> {
    const { countTokens, setMergeCacheSize } = await import("gpt-tokenizer/encoding/cl100k_base");
    // A word that is kept keeps the text that it was cut from: up to 100,000 texts of 8 MiB.
    setMergeCacheSize(0);
    return (slice) => countTokens(slice, SPECIAL_TOKENS_AS_TEXT);
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
    let made: Promise<T> | undefined;
    return () => (made ??= make());
}
