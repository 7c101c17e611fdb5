import { globToRegExp } from "./glob.ts";

/*
 * CEL expressions of the API server (https://kubernetes.io/docs/reference/using-api/cel/), limited to the features
 * of Kubernetes 1.30.
 */

/** A CEL expression; strings are literals. */
export interface Cel {
    readonly cel: string;
}

type Literal = string | number | boolean | RegExp | readonly string[];

/** Creates an expression; interpolated values become CEL literals. */
export function cel({ raw }: TemplateStringsArray, ...parts: readonly (Cel | Literal)[]): Cel {
    return { cel: String.raw({ raw }, ...parts.map(toSource)) };
}

type Part = Cel | string | number;

/** Creates a message: a string, or an expression of a string if it contains expressions. */
export function message(texts: TemplateStringsArray, ...parts: readonly Part[]): Cel | string {
    if (!parts.some(isCel)) return String.raw({ raw: texts }, ...parts);
    const sources = texts.flatMap((text, index) => {
        const part = parts[index] ?? "";
        return [
            JSON.stringify(text),
            isCel(part) ? `string(${part.cel})` : JSON.stringify(`${part}`),
        ];
    });
    return { cel: sources.filter((one) => one !== '""').join(" + ") };
}

/** A message with parameters: a string for values, an expression of the same string for expressions. */
export interface Template {
    (...args: readonly (string | number)[]): string;
    (...args: readonly Part[]): Cel;
}

/** Creates a message template, which a rule uses for its own findings and for admission. */
export function template(fill: (...args: Part[]) => Cel | string): Template {
    return fill as Template;
}

/** Creates an expression for whether a text matches any of some globs. */
export function matchesAny(globs: readonly string[], text: Cel): Cel {
    if (globs.length === 0) return cel`false`;
    return { cel: globs.map((one) => cel`${text}.matches(${globToRegExp(one)})`.cel).join(" || ") };
}

/** @returns whether RE2, which the API server uses, supports an expression: no look-around, no back-references. */
export function isRe2({ source }: RegExp): boolean {
    return !/\(\?<?[=!]|\\[1-9]|\\k</.test(source);
}

function toSource(part: Cel | Literal): string {
    if (part instanceof RegExp) return toSource(toRe2(part));
    if (typeof part === "number" || typeof part === "boolean") return String(part);
    // CEL has the same literals for strings and lists as JSON.
    if (!isCel(part)) return JSON.stringify(part);
    return /^[\w.?[\]]+$/.test(part.cel) ? part.cel : `(${part.cel})`;
}

function toRe2(regexp: RegExp): string {
    const { source, flags } = regexp;
    if (!isRe2(regexp)) throw new Error(`RE2 cannot express ${source}`);
    const inside = flags.replaceAll(/[^ims]/g, "");
    return `${inside && `(?${inside})`}${source.replaceAll(/\(\?<\w+>/g, "(")}`;
}

function isCel(part: Cel | Literal): part is Cel {
    return typeof part === "object" && "cel" in part;
}
