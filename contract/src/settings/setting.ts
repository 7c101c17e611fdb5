/** Which texts a value may be: a test, and the words for it in an error. */
export interface Allowed {
    readonly fits: (text: string) => boolean;
    readonly words: string;
    /** Whether errors show no value with a login or a query, as of a URL: it may be secret. */
    readonly isUrl?: boolean;
}

export type Value = string | number | boolean;

/** A kind of value. `String` turns a value into the text that it was parsed from, apart from blanks. */
export interface Kind<T extends Value> extends Allowed {
    /** The type that Pulumi.yaml declares. */
    readonly type: "string" | "integer" | "boolean";
    readonly parse: (text: string) => T;
}

/** A setting of the service. Everything that knows it reads this row: the program, the pod, the service, Pulumi.yaml. */
export interface Setting<T extends Value = Value> extends Kind<T> {
    /** Key of the stack's config. None: the pod alone has it. */
    readonly key?: string;
    /** Environment variable of the service's container. */
    readonly env: string;
    /** An empty text means that it is not set. */
    readonly default: T;
    /** The config holds it encrypted, the pod reads it from a Secret, and nobody shows it. */
    readonly secret?: true;
    /** The setting, by its name, whose value gives this one an effect. Default: it always has one. */
    readonly usedIf?: readonly [name: string, isWanted: (text: string) => boolean];
    readonly description: string;
}

/** The values of settings, by name. */
export type ValuesOf<S extends Readonly<Record<string, Setting>>> = {
    readonly [Name in keyof S]: ReturnType<S[Name]["parse"]>;
};
