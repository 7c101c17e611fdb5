import type { FOLDINGS } from "@property-search/contract/settings";

/** Optional normalisations, so that more texts share an entry. Default: none. */
export type Folding = (typeof FOLDINGS)[number];

export type Normalise = (text: string) => string;

/** Matches anything but printable ASCII words separated by single spaces, which are already normalised. */
const NOT_NORMAL_ASCII = /[^ -~]| {2}|^ | $/;

/**
 * NFC sorts combining marks by insertion, in quadratic time for long runs. Unicode's Stream-Safe Text Format
 * (UAX #15, 13) therefore breaks a run after 30 marks with U+034F, which affects no natural language.
 */
const LONG_RUN = /(?<![\p{M}--\u034f])[\p{M}--\u034f]{31}/gv;
const FULL_RUN = /[\p{M}--\u034f]{30}(?=[\p{M}--\u034f])/vy;
const MARK = /[\p{M}--\u034f]/v;
const MAX_RUN = 30;
const END_OF_RUN = "\u034f";

/** Replacing many parts of a text builds a list of them, which must not be as long as a body. */
const SLICE_CHARACTERS = 64 * 1024;

/**
 * Punctuation at the ends of words only: inside a word, or as a symbol, it is significant (3.5, o'clock, C++,
 * C#, -5). A text of punctuation alone is not removed. Marks are matched one by one, because backtracking
 * over a run of millions would exhaust the stack.
 */
const LEADING = String.raw`[\p{Ps}\p{Pi}"'\u00a1\u00bf]`;
const LEADING_START = new RegExp(`(?<=^| )${LEADING}(?=[^ ])`, "gu");
const LEADING_MARK = new RegExp(`${LEADING}(?=[^ ])`, "uy");
const TRAILING = String.raw`\p{Pe}\p{Pf}"'.,;:!?\u2026\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f`;
const TRAILING_START = new RegExp(`(?<=[^ ${TRAILING}]|(?:^| )[${TRAILING}])[${TRAILING}]`, "gu");
const TRAILING_MARK = new RegExp(`[${TRAILING}]`, "uy");

/**
 * The form that is both keyed and embedded, so that key and vector always agree: Unicode NFC, whitespace
 * collapsed and trimmed, lone surrogates replaced by U+FFFD. Case and punctuation are kept, because they
 * change the vector.
 */
export function normaliseText(text: string): string {
    if (!NOT_NORMAL_ASCII.test(text)) return text;
    // Composition may split a mark into two, so that a run is too long again.
    return collapseWhitespace(
        breakLongRuns(breakLongRuns(text.toWellFormed()).normalize("NFC")),
    ).trim();
}

/**
 * Checks every 31st character only, because a longer run contains one of them. On ordinary text this takes a
 * hundredth of the time of the expression.
 */
function mayHaveLongRun(text: string): boolean {
    for (let at = MAX_RUN; at < text.length; at += MAX_RUN + 1) {
        if (!mayBeMark(text, at)) continue;
        let [first, last] = [at, at];
        while (first > 0 && mayBeMark(text, first - 1) && last - first < MAX_RUN) first -= 1;
        while (mayBeMark(text, last + 1) && last - first < MAX_RUN) last += 1;
        if (last - first >= MAX_RUN) return true;
    }
    return false;
}

/** Surrogates may be part of a mark beyond U+FFFF. */
function mayBeMark(text: string, at: number): boolean {
    const unit = text.charCodeAt(at);
    if (!(unit >= 0x300)) return false;
    return (unit & 0xf800) === 0xd800 || MARK.test(text.charAt(at));
}

function breakLongRuns(text: string): string {
    if (!mayHaveLongRun(text)) return text;
    const parts: string[] = [];
    let from = 0;
    LONG_RUN.lastIndex = 0;
    for (let run = LONG_RUN.exec(text); run; run = LONG_RUN.exec(text)) {
        FULL_RUN.lastIndex = run.index;
        while (FULL_RUN.test(text)) {
            parts.push(text.slice(from, FULL_RUN.lastIndex), END_OF_RUN);
            from = FULL_RUN.lastIndex;
        }
        LONG_RUN.lastIndex = from;
    }
    return from === 0 ? text : parts.join("") + text.slice(from);
}

/** V8 builds the result of a plain replacement as a tree with a node of 32 bytes for each part. */
const ONE_SPACE = (): string => " ";

function collapseWhitespace(text: string): string {
    if (text.length <= SLICE_CHARACTERS) return text.replace(/\s+/g, ONE_SPACE);
    const parts: string[] = [];
    for (let from = 0; from < text.length;) {
        let to = from + SLICE_CHARACTERS;
        // A run of whitespace must not be split.
        while (to < text.length && text.charAt(to - 1).trim() === "") to += 1;
        parts.push(text.slice(from, to).replace(/\s+/g, ONE_SPACE));
        from = to;
    }
    return parts.join("");
}

/**
 * The same with foldings, for operators who accept the changed vectors. The folded text is also the one that
 * is embedded; otherwise the vector would depend on which variant was requested first.
 */
export function createNormaliser(foldings: readonly Folding[]): Normalise {
    if (foldings.length === 0) return normaliseText;
    const foldsCase = foldings.includes("case");
    const foldsPunctuation = foldings.includes("punctuation");
    const foldOnce = (text: string): string => {
        const cased = foldsCase ? text.toLowerCase() : text;
        return normaliseText(foldsPunctuation ? removePunctuation(cased) : cased);
    };
    return (text) => {
        let folded = foldOnce(normaliseText(text));
        // One pass may expose what the next pass folds, such as quotes inside brackets.
        for (let next = foldOnce(folded); next !== folded; next = foldOnce(folded)) folded = next;
        return folded;
    };
}

function removePunctuation(text: string): string {
    const rest = removeRuns(text, LEADING_START, LEADING_MARK, () => true);
    const isEnd = (at: number): boolean => at === rest.length || rest[at] === " ";
    return removeRuns(rest, TRAILING_START, TRAILING_MARK, isEnd);
}

/**
 * @param start finds the possible start of a run
 * @param mark matches one more character of it
 * @param isRemoved whether a run that ends at this index is removed
 */
function removeRuns(
    text: string,
    start: RegExp,
    mark: RegExp,
    isRemoved: (end: number) => boolean,
): string {
    const parts: string[] = [];
    let from = 0;
    start.lastIndex = 0;
    for (let run = start.exec(text); run; run = start.exec(text)) {
        let end = run.index;
        mark.lastIndex = end;
        while (mark.test(text)) end = mark.lastIndex;
        start.lastIndex = end;
        if (!isRemoved(end)) continue;
        parts.push(text.slice(from, run.index));
        from = end;
    }
    return from === 0 ? text : parts.join("") + text.slice(from);
}
