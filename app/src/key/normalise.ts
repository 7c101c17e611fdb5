/** What may be taken from texts so that more of them share an entry; nothing is by default. */
export const FOLDINGS = ["case", "punctuation"] as const;
export type Folding = (typeof FOLDINGS)[number];

export type Normalise = (text: string) => string;

/** Printable ASCII words with one blank between them: already in normal form. */
const NORMAL_ASCII = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

/**
 * Marks at the ends of words only: what stands inside of one, or is a symbol, tells texts apart (3.5,
 * o'clock, C++, C#, -5). Marks alone are not folded to nothing.
 */
const LEADING_MARKS = /(?<=^| )[\p{Ps}\p{Pi}"'\u00a1\u00bf]+(?=[^ ])/gu;
const TRAILING_MARKS =
    /(?<=[^ ])[\p{Pe}\p{Pf}"'.,;:!?\u2026\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]+(?= |$)/gu;

/**
 * The form that is both keyed and embedded, so that a key and its vector always agree: Unicode NFC,
 * runs of white space as one blank, none at the ends, lone surrogates replaced by U+FFFD.
 * Nothing more: folding case or punctuation changes the vector.
 */
export function normaliseText(text: string): string {
    if (NORMAL_ASCII.test(text)) return text;
    return text.toWellFormed().normalize("NFC").replace(/\s+/g, " ").trim();
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
    return text.replace(LEADING_MARKS, "").replace(TRAILING_MARKS, "");
}
