import { setImmediate as nextTurn } from "node:timers/promises";

import type { TokenCounter } from "../upstream.ts";
import { nativeDimensions } from "./models.ts";

/** A merge takes time by the square of a word's length, and a word may be as long as a body. */
const SLICE_CHARACTERS = 512;
/** Others' requests wait no longer than this for a count. */
const TURN_MILLISECONDS = 2;

/**
 * Counts as OpenAI's embedding models do (encoding cl100k_base). Long texts are cut, before a blank if
 * possible, where a token begins anyway. A cut within a word can add a token: so many are taken off,
 * and what is told is never more than what the model counts.
 *
 * @returns undefined for a model whose vocabulary is not known; then the upstream has the only word
 */
export function tokenCounter(model: string): TokenCounter | undefined {
    if (nativeDimensions(model) === undefined) return undefined;
    // Its tables are some 40 MB: only who needs them pays for them.
    const encoding = lazily(() => import("gpt-tokenizer/encoding/cl100k_base"));
    return async (text, most) => {
        const { countTokens } = await encoding();
        let tokens = 0;
        let turn = performance.now();
        for (let from = 0; from < text.length && tokens <= most;) {
            const to = cut(text, from);
            const inWord = from > 0 && text[from] !== " ";
            tokens += countTokens(text.slice(from, to)) - (inWord ? 1 : 0);
            from = to;
            if (performance.now() - turn < TURN_MILLISECONDS) continue;
            await nextTurn();
            turn = performance.now();
        }
        return tokens;
    };
}

/** @returns where the slice ends: before a blank of its second half, never within a character */
function cut(text: string, from: number): number {
    const end = from + SLICE_CHARACTERS;
    if (end >= text.length) return text.length;
    const blank = text.lastIndexOf(" ", end);
    if (blank > from + SLICE_CHARACTERS / 2) return blank;
    return text.codePointAt(end - 1) === text.charCodeAt(end - 1) ? end : end - 1;
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
    let made: Promise<T> | undefined;
    return () => (made ??= make());
}
