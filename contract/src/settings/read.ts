import type { Allowed, Kind, Setting, Value, ValuesOf } from "./setting.ts";

/**
 * Reads settings from any source. An empty text counts as not set; blanks around a text are left out.
 *
 * @param textOf the text of a setting in the source.
 * @param report is called with each wrong value, in words that follow the name of its key or variable.
 * @returns the default of a setting that is not set or wrong.
 */
export function readSettings<S extends Readonly<Record<string, Setting>>>(
    settings: S,
    textOf: (setting: Setting, name: string) => string | undefined,
    report: (setting: Setting, words: string) => void,
): ValuesOf<S> {
    const values = Object.entries(settings).map(([name, setting]) => {
        const text = textOf(setting, name)?.trim() ?? "";
        if (text === "") return [name, setting.default];
        const [error] = errorsOf(setting, text);
        if (error === undefined) return [name, setting.parse(text)];
        report(setting, error);
        return [name, setting.default];
    });
    return Object.fromEntries(values) as ValuesOf<S>;
}

/** Whether other settings give a setting an effect. */
export function isUsed({ usedIf }: Setting, values: Readonly<Record<string, Value>>): boolean {
    if (!usedIf) return true;
    const [name, isWanted] = usedIf;
    return isWanted(String(values[name] ?? ""));
}

/** What YAML, or a program before this one, makes of a value that does not exist or is not text. */
const NO_VALUE = /^(~|null|undefined|nan|true|false|\[object Object\])$/i;

export function isAllowed(
    allowed: Allowed & Partial<Pick<Kind<unknown>, "type">>,
    text: string,
): boolean {
    return (allowed.type === "boolean" || !NO_VALUE.test(text)) && allowed.fits(text);
}

/** The errors of a text, in words that follow the name of its key or variable. */
export function errorsOf(
    allowed: Allowed & Partial<Pick<Kind<unknown>, "type" | "errors">>,
    text: string,
): readonly string[] {
    if (allowed.errors) return allowed.errors(text);
    if (isAllowed(allowed, text)) return [];
    return [`${describeText(allowed, text)}; allowed: ${allowed.words}`];
}

/** Words for a value that follow the name of its key or variable. They show no secret. */
export function describeText({ secret, isUrl }: Partial<Setting>, text: string): string {
    if (text === "") return "is not set";
    return secret || (isUrl && /[@?]/.test(text)) ? "is wrong" : `is ${quote(text)}`;
}

const MOST_SHOWN = 200;

/** A value as JSON, and the beginning of a long one. */
export function quote(value: unknown): string {
    const text = JSON.stringify(value);
    if (text.length <= MOST_SHOWN) return text;
    return `${text.slice(0, MOST_SHOWN)}… (${text.length} characters)`;
}
