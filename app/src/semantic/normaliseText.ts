/** A fraction or an exponent after a digit is a number of its own. */
const AFTER_DIGIT = /(?<=\p{N})(?=\p{No})/gu;
const DOUBLE_QUOTE = /[“”„‟«»‹›「」『』〝〞〟]/gu;
const SINGLE_QUOTE = /[‘’‚‛]/gu;

/** @returns the text as it is compared, in its own case: in the normal form NFKC, with one kind of quotation marks */
export function normaliseText(text: string): string {
    return text
        .replace(AFTER_DIGIT, " ")
        .normalize("NFKC")
        .replace(DOUBLE_QUOTE, '"')
        .replace(SINGLE_QUOTE, "'")
        .replaceAll("⁄", "/");
}
