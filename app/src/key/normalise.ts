/** Printable ASCII words with one blank between them: already in normal form. */
const NORMAL_ASCII = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

/**
 * The form that is both keyed and embedded, so that a key and its vector always agree: Unicode NFC,
 * runs of white space as one blank, none at the ends, lone surrogates replaced by U+FFFD.
 * Nothing more: folding case or punctuation changes the vector.
 */
export function normaliseText(text: string): string {
    if (NORMAL_ASCII.test(text)) return text;
    return text.toWellFormed().normalize("NFC").replace(/\s+/g, " ").trim();
}
