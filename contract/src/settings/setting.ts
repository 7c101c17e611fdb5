/** Which texts a value may be: a test, and the words for it in an error. */
export interface Allowed {
    readonly fits: (text: string) => boolean;
    readonly words: string;
    /** Whether errors show no value with a login or a query, as of a URL: it may be secret. */
    readonly isUrl?: boolean;
}

export type Value = string | number | boolean;

/** A kind of value. `String` turns a `Value` into the text that it was parsed from, apart from blanks. */
export interface Kind<T> extends Allowed {
    /** The type that Pulumi.yaml declares. */
    readonly type: "string" | "integer" | "boolean" | "array" | "object";
    /** The type of an array's items. */
    readonly items?: "string" | "object";
    readonly parse: (text: string) => T;
    /** The errors of a text, in words that follow its key. Default: one, that the text is not allowed. */
    readonly errors?: (text: string) => readonly string[];
}

/** The declaration of a setting. Everything that knows the setting reads its row. */
export interface Row<T = unknown> extends Kind<T> {
    /** An empty text means that it is not set. */
    readonly default: T | "";
    /** The config holds it encrypted, the pod reads it from a Secret, and nobody shows it. */
    readonly secret?: true;
    readonly description: string;
}

/** A setting of the service, which the program, the pod, the service and Pulumi.yaml read. */
export interface Setting<T extends Value = Value> extends Row<T> {
    /** Key of the stack's config. None: the pod alone has it. */
    readonly key?: string;
    /** Environment variable of the service's container. */
    readonly env: string;
    /** The setting, by its name, whose value gives this one an effect. Default: it always has one. */
    readonly usedIf?: readonly [name: string, isWanted: (text: string) => boolean];
}

/** The values of settings, by name. */
export type ValuesOf<S extends Readonly<Record<string, Setting>>> = {
    readonly [Name in keyof S]: ReturnType<S[Name]["parse"]>;
};

/**
 * Begins a row. The template after it is the description, in which a line break counts as a blank.
 *
 * @param more the other fields of the row.
 */
export function setting<T, const D extends NoInfer<T> | "", const More extends object = object>(
    kind: Kind<T>,
    value: D,
    more = {} as More,
) {
    return (raw: TemplateStringsArray, ...values: readonly string[]) => ({
        ...kind,
        ...more,
        default: value,
        description: String.raw({ raw }, ...values)
            .replace(/\s+/g, " ")
            .trim(),
    });
}
