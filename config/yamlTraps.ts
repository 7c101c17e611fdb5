import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { isAlias, isMap, isScalar, isSeq, parseDocument, Scalar, visit } from "yaml";
import { ROWS } from "./settings/index.ts";
import { declaredType } from "./settings/row.ts";

const ROOT = path.resolve(import.meta.dirname, "..");

type DeclaredType = ReturnType<typeof declaredType>;

/** Words after a key's name, by key without the project's name. */
export type Traps = readonly (readonly [key: string, words: string])[];

/** Numbers, dates and words as YAML 1.1 or 1.2 reads them where no quotes say that they are text. */
const NO_TEXT = [
    /^(~|null|true|false|yes|no|on|off|y|n)?$/i,
    /^[-+]?(0b[01_]+|0o?[0-7_]+|0x[\da-f_]+|\d[\d_]*)$/i,
    /^[-+]?(\.\d[\d_]*|\d[\d_]*\.?[\d_]*)(e[-+]?\d+)?$/i,
    /^[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?$/,
    /^[-+]?\.(inf|nan)$/i,
    /^\d{4}-\d{1,2}-\d{1,2}([Tt\s].*)?$/,
];
/** What every reader of YAML turns into the same text again. */
const SAME = /^(true|false|0|-?[1-9]\d{0,14}|-?(0|[1-9]\d{0,14})\.\d{0,14}[1-9])$/;

const NOTHING = "is null; allowed: a value, or no such key";
const FORMS = { object: "a map", array: "a list", string: "one value, such as a text" } as const;
const PLAIN: Readonly<Record<string, string>> = {
    integer: "a whole number in decimal notation",
    boolean: "true or false",
};

/** Traps in the file of a stack; none where it has no file, as under another name than Pulumi gives it. */
export function trapsOfStack(stack: string, root = ROOT): Traps {
    const file = path.join(root, `Pulumi.${stack}.yaml`);
    return existsSync(file) ? trapsIn(readFileSync(file, "utf8")) : [];
}

/**
 * Values without quotes that reach the program as another text than the file has: `1.10` as 1.1, `010` as 8 or
 * 10, a date as a time, nothing as `null`. Only the file tells: the program is handed the result.
 */
export function trapsIn(text: string): Traps {
    const { contents } = parseDocument(text);
    const config = isMap(contents) ? contents.get("config", true) : undefined;
    if (!isMap(config)) return [];
    return config.items.flatMap(({ key, value }) => {
        const name = String(isScalar(key) ? key.value : key).replace(/^[^:]*:/, "");
        if (value === null || (isScalar(value) && value.value === null)) return [[name, NOTHING]];
        const found: [string, string][] = [];
        const row = ROWS.get(name);
        const type = row && declaredType(row);
        const mismatch = mismatchOf(value, type);
        if (mismatch !== undefined) found.push([name, mismatch]);
        visit(value as Scalar, {
            Scalar(_, scalar) {
                const words = trapOf(scalar, scalar === value ? type : undefined);
                if (words !== undefined) found.push([name, words]);
            },
        });
        return found;
    });
}

/** A value of another form than the key's, which Pulumi rejects before the program runs. */
function mismatchOf(value: unknown, type: DeclaredType | undefined): string | undefined {
    if (type === undefined || isAlias(value) || (isMap(value) && value.has("secure"))) {
        return undefined;
    }
    const form = isMap(value) ? "object" : isSeq(value) ? "array" : "string";
    const wanted = type === "object" || type === "array" ? type : "string";
    return form === wanted ? undefined : `is ${FORMS[form]}; allowed: ${FORMS[wanted]}`;
}

/** @param declared type of a key whose whole value it is. */
function trapOf({ type, source, value }: Scalar, declared: DeclaredType | undefined) {
    if (type !== Scalar.PLAIN || source === undefined) return undefined;
    if (!NO_TEXT.some((form) => form.test(source))) return undefined;
    const isWord = declared === "string" && typeof value === "boolean";
    if (SAME.test(source) && !isWord) return undefined;
    if (value === null) return NOTHING;
    const read =
        value === source
            ? "which not all readers of YAML take for text"
            : `which YAML reads as ${JSON.stringify(value)}`;
    const plain = PLAIN[declared ?? ""] ?? `"${source}" in quotes`;
    return `is ${source} without quotes, ${read}; allowed: ${plain}`;
}
