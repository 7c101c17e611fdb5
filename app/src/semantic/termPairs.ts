import { normaliseText } from "./normaliseText.ts";

/** Two terms by which texts differ that are otherwise the same, and how the answers from one to the other turned out. */
export interface TermPair {
    /** In lower case and in alphabetical order. */
    readonly terms: readonly [string, string];
    /** Distinct contexts of the terms in which the answer was right. */
    readonly right: number;
    readonly wrong: number;
}

/** Term pairs of the verified answers of a tenant. It keeps no texts: of the contexts, only 32-bit digests. */
export interface TermPairs {
    /**
     * @param other text from whose vector the answer was predicted
     * @param isRight whether the true vector of the text has shown the answer to be right
     */
    readonly record: (text: string, other: string, isRight: boolean) => void;
    /** Pairs with enough contexts that their terms are not specific to one text, most frequent first. */
    readonly published: () => readonly TermPair[];
}

/** A term is published if it occurred in at least this many distinct contexts (k-anonymity). */
export const MIN_CONTEXTS = 5;
/** Bounds of what is kept, and of what is published. */
const MAX_PAIRS = 2_000;
const MAX_CONTEXTS = 64;
const MAX_PUBLISHED = 200;
const MAX_TERM_WORDS = 2;
/** Punctuation at the ends of a word; within one, as in an address, it stays. */
const ENDS = /^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu;
/** Shorter words are articles and prepositions; numbers and names are compared by rules of their own. */
const TERM_WORD = /^\p{L}{3,24}$/u;
const CAPITAL = /^\p{Lu}/u;
/** Endings of one word in two forms. */
const INFLECTION = /(?:es|s|ed|ing|er|ly|e)$/u;

interface Counts {
    readonly right: Set<number>;
    readonly wrong: Set<number>;
}

export function createTermPairs(): TermPairs {
    const pairs = new Map<string, Counts>();
    return {
        record: (text, other, isRight) => {
            const found = findDifference(text, other);
            if (!found) return;
            const key = found.terms.join("\n");
            const counts = pairs.get(key) ?? { right: new Set(), wrong: new Set() };
            // The pair that was not seen for the longest time comes first.
            pairs.delete(key);
            pairs.set(key, counts);
            const digests = isRight ? counts.right : counts.wrong;
            if (digests.size < MAX_CONTEXTS) digests.add(hash(found.context));
            const [oldest] = pairs.size > MAX_PAIRS ? pairs.keys() : [];
            if (oldest !== undefined) pairs.delete(oldest);
        },
        published: () =>
            [...pairs]
                .filter(
                    ([, { right, wrong }]) => new Set([...right, ...wrong]).size >= MIN_CONTEXTS,
                )
                .map(([key, { right, wrong }]): TermPair => {
                    const [one = "", other = ""] = key.split("\n");
                    return { terms: [one, other], right: right.size, wrong: wrong.size };
                })
                .sort((a, b) => b.right + b.wrong - (a.right + a.wrong))
                .slice(0, MAX_PUBLISHED),
    };
}

/**
 * Aligns two texts by their common beginning and end.
 *
 * @returns the words between, if they are one term in each text, and the context around them
 */
export function findDifference(
    text: string,
    other: string,
): { readonly terms: readonly [string, string]; readonly context: string } | undefined {
    const [own, others] = [tokensOf(text), tokensOf(other)];
    const shorter = Math.min(own.length, others.length);
    const isSame = (at: number, otherAt: number): boolean =>
        own.at(at)?.toLowerCase() === others.at(otherAt)?.toLowerCase();
    let begin = 0;
    while (begin < shorter && isSame(begin, begin)) begin += 1;
    let end = 0;
    while (end < shorter - begin && isSame(-1 - end, -1 - end)) end += 1;
    const terms = [own, others].map((tokens) => tokens.slice(begin, tokens.length - end));
    // A text that consists of the terms alone has no context that could differ.
    if (begin + end === 0 || !terms.every((words) => isTerm(words, begin === 0))) return undefined;
    const [one = "", second = ""] = terms.map((words) => words.join(" ").toLowerCase()).sort();
    if (stem(one) === stem(second)) return undefined;
    const context = [...own.slice(0, begin), "", ...own.slice(own.length - end)];
    return { terms: [one, second], context: context.join(" ").toLowerCase() };
}

function tokensOf(text: string): readonly string[] {
    return normaliseText(text)
        .split(/\s+/u)
        .map((word) => word.replace(ENDS, ""))
        .filter((word) => word !== "");
}

/** @param isFirst whether a capital begins the sentence, and not a name */
function isTerm(words: readonly string[], isFirst: boolean): boolean {
    return (
        words.length >= 1 &&
        words.length <= MAX_TERM_WORDS &&
        words.every(
            (word, at) => TERM_WORD.test(word) && (!CAPITAL.test(word) || (isFirst && at === 0)),
        )
    );
}

const stem = (term: string): string => term.replace(INFLECTION, "");

/** FNV-1a. */
function hash(text: string): number {
    let value = 0x811c9dc5;
    for (let at = 0; at < text.length; at += 1)
        value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
    return value >>> 0;
}
