import type { FOLDINGS } from "@property-search/contract/settings";

export type Folding = (typeof FOLDINGS)[number];

export type Normalise = (text: string) => string;

/** Anything but printable ASCII words with one blank between them, which are in normal form already. */
const NOT_NORMAL_ASCII = /[^ -~]| {2}|^ | $/;

/**
 * NFC orders combining marks by insertion: a run of them takes time by the square of its length. Unicode's
 * Stream-Safe Text Format (UAX #15, 13) therefore ends a run after 30 marks with U+034F, which changes
 * no text of any language.
 */
const LONG_RUN = /(?<![\p{M}--\u034f])[\p{M}--\u034f]{31}/gv;
const FULL_RUN = /[\p{M}--\u034f]{30}(?=[\p{M}--\u034f])/vy;
const MARK = /[\p{M}--\u034f]/v;
const LONGEST_RUN = 30;
const END_OF_RUN = "\u034f";

/** What replaces many parts of a text keeps a list of them, which must not be as long as a body. */
const SLICE_CHARACTERS = 64 * 1024;

/**
 * Marks at the ends of words only: what stands inside of one, or is a symbol, tells texts apart (3.5,
 * o'clock, C++, C#, -5). Marks alone are not folded to nothing. They are matched one by one: a run of
 * millions, which an expression would have to go back over, takes more stack than there is.
 */
const LEADING = String.raw`[\p{Ps}\p{Pi}"'\u00a1\u00bf]`;
const LEADING_START = new RegExp(`(?<=^| )${LEADING}(?=[^ ])`, "gu");
const LEADING_MARK = new RegExp(`${LEADING}(?=[^ ])`, "uy");
const TRAILING = String.raw`\p{Pe}\p{Pf}"'.,;:!?\u2026\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f`;
const TRAILING_START = new RegExp(`(?<=[^ ${TRAILING}]|(?:^| )[${TRAILING}])[${TRAILING}]`, "gu");
const TRAILING_MARK = new RegExp(`[${TRAILING}]`, "uy");

/**
 * The form that is both keyed and embedded, so that a key and its vector always agree: Unicode NFC,
 * runs of white space as one blank, none at the ends, lone surrogates replaced by U+FFFD.
 * Nothing more: folding case or punctuation changes the vector.
 */
export function normaliseText(text: string): string {
    if (!NOT_NORMAL_ASCII.test(text)) return text;
    // Composition may split a mark into two, so that a run is too long again.
    return blanksFolded(endLongRuns(endLongRuns(text.toWellFormed()).normalize("NFC"))).trim();
}

/**
 * Looks at every 31st character only: a longer run has one of them. Of ordinary texts that is a hundredth of
 * what the expression takes.
 */
function mayHaveLongRun(text: string): boolean {
    for (let at = LONGEST_RUN; at < text.length; at += LONGEST_RUN + 1) {
        if (!mayBeMark(text, at)) continue;
        let [first, last] = [at, at];
        while (first > 0 && mayBeMark(text, first - 1) && last - first < LONGEST_RUN) first -= 1;
        while (mayBeMark(text, last + 1) && last - first < LONGEST_RUN) last += 1;
        if (last - first >= LONGEST_RUN) return true;
    }
    return false;
}

/** Half of a character beyond U+FFFF may be. */
function mayBeMark(text: string, at: number): boolean {
    const unit = text.charCodeAt(at);
    if (!(unit >= 0x300)) return false;
    return (unit & 0xf800) === 0xd800 || MARK.test(text.charAt(at));
}

function endLongRuns(text: string): string {
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

function blanksFolded(text: string): string {
    if (text.length <= SLICE_CHARACTERS) return text.replace(/\s+/g, " ");
    const parts: string[] = [];
    for (let from = 0; from < text.length;) {
        let to = from + SLICE_CHARACTERS;
        // A run of blanks is replaced as a whole.
        while (to < text.length && text.charAt(to - 1).trim() === "") to += 1;
        parts.push(text.slice(from, to).replace(/\s+/g, " "));
        from = to;
    }
    return parts.join("");
}

/**
 * The same with foldings, for those who accept their vectors: the folded text is what is embedded too.
 * Were it the text of who asked first, the vector of all others would depend on who that was.
 */
export function normaliser(foldings: readonly Folding[]): Normalise {
    if (foldings.length === 0) return normaliseText;
    const cases = foldings.includes("case");
    const marks = foldings.includes("punctuation");
    const once = (text: string): string => {
        const cased = cases ? text.toLowerCase() : text;
        return normaliseText(marks ? withoutMarks(cased) : cased);
    };
    return (text) => {
        let folded = once(normaliseText(text));
        // One step may lay bare what the next one folds, as quotes within brackets.
        for (let next = once(folded); next !== folded; next = once(folded)) folded = next;
        return folded;
    };
}

function withoutMarks(text: string): string {
    const rest = withoutRuns(text, LEADING_START, LEADING_MARK, () => true);
    const isEnd = (at: number): boolean => at === rest.length || rest[at] === " ";
    return withoutRuns(rest, TRAILING_START, TRAILING_MARK, isEnd);
}

/**
 * @param start finds where a run may begin
 * @param mark matches one more of it
 * @param isRemoved whether a run that ends there is removed
 */
function withoutRuns(
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
