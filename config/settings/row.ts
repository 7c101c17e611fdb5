import type { Row } from "@property-search/contract/settings";

/** The value of a key; undefined when it is not set. */
export type Value = (key: string) => string | undefined;

/** Another key, and which of its values give a setting an effect. */
export type Condition = readonly [
    key: string,
    isWanted: (value: string | undefined, valueOf: Value) => boolean,
];

/** A setting that only the program reads. */
export interface ProgramRow extends Row {
    /** It must be set though it has no default; words that follow what is allowed say why. */
    readonly required?: string | undefined;
    /** Each must hold, or the setting has no effect. Default: it always has one. */
    readonly usedIf?: readonly Condition[];
}

export const SECRET = { secret: true } as const;
/** A secret that operations/ makes. */
export const GENERATED = {
    secret: true,
    required:
        "; the stack's first deploy generates it, and make secrets STACK=<stack> those that a deployed stack lacks",
} as const;

export const is =
    (...values: readonly string[]) =>
    (value: string | undefined) =>
        values.includes(value ?? "");
export const isNot = (no: string) => (value: string | undefined) => value !== no;
export const isSet = (value: string | undefined) => value !== undefined;

/** The condition of several rows. */
export function usedIf(...conditions: readonly Condition[]) {
    return { usedIf: conditions };
}

export const OUR_PROMETHEUS: Condition = ["prometheus.source", is("stack")];
export const WITH_HTTPS = usedIf(["certificates.enabled", is("true")]);

/** The type in Pulumi.yaml, which has no value for a number that is not set. */
export function declaredType({ type, default: value }: ProgramRow): ProgramRow["type"] {
    return value === "" ? "string" : type;
}

/** The description in Pulumi.yaml. */
export function describe({ description, words }: Pick<Row, "description" | "words">): string {
    return words === "" ? description : `${description} Allowed: ${words}.`;
}
