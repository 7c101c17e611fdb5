import { globPattern } from "./glob.ts";

/*
 * Expressions of the API server (https://kubernetes.io/docs/reference/using-api/cel/), with no more than
 * Kubernetes 1.30 has of them.
 */

/** An expression. Any other text is a literal in one. */
export interface Cel {
    readonly cel: string;
}

type Literal = string | number | boolean | RegExp | readonly string[];

/** An expression as it is written here; values in it become literals of CEL. */
export function cel({ raw }: TemplateStringsArray, ...parts: readonly (Cel | Literal)[]): Cel {
    return { cel: String.raw({ raw }, ...parts.map(sourceOf)) };
}

type Part = Cel | string | number;

/** A text; with an expression in it, the expression of the text. */
export function said(words: TemplateStringsArray, ...parts: readonly Part[]): Cel | string {
    if (!parts.some(isCel)) return String.raw({ raw: words }, ...parts);
    const sources = words.flatMap((word, index) => {
        const part = parts[index] ?? "";
        return [
            JSON.stringify(word),
            isCel(part) ? `string(${part.cel})` : JSON.stringify(`${part}`),
        ];
    });
    return { cel: sources.filter((one) => one !== '""').join(" + ") };
}

/** Words with gaps: of values a text, and of expressions the expression of the same text. */
export interface Words {
    (...gaps: readonly (string | number)[]): string;
    (...gaps: readonly Part[]): Cel;
}

/** So that the words of a rule stand once, for what it finds itself and for what the API server says. */
export function words(fill: (...gaps: Part[]) => Cel | string): Words {
    return fill as Words;
}

/** Whether a text is what one of some globs says. */
export function matchesAny(globs: readonly string[], text: Cel): Cel {
    if (globs.length === 0) return cel`false`;
    return { cel: globs.map((one) => cel`${text}.matches(${globPattern(one)})`.cel).join(" || ") };
}

/** Whether RE2, which the API server has, can say a regular expression too: it neither looks around nor back. */
export function isRe2({ source }: RegExp): boolean {
    return !/\(\?<?[=!]|\\[1-9]|\\k</.test(source);
}

function sourceOf(part: Cel | Literal): string {
    if (part instanceof RegExp) return sourceOf(re2(part));
    if (typeof part === "number" || typeof part === "boolean") return String(part);
    // What JSON has for texts and lists CEL has too.
    if (!isCel(part)) return JSON.stringify(part);
    return /^[\w.?[\]]+$/.test(part.cel) ? part.cel : `(${part.cel})`;
}

function re2(regexp: RegExp): string {
    const { source, flags } = regexp;
    if (!isRe2(regexp)) throw new Error(`RE2 has no words for ${source}`);
    const inside = flags.replaceAll(/[^ims]/g, "");
    return `${inside && `(?${inside})`}${source.replaceAll(/\(\?<\w+>/g, "(")}`;
}

function isCel(part: Cel | Literal): part is Cel {
    return typeof part === "object" && "cel" in part;
}
