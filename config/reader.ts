import { OVERLAPPING_SECRETS, type OverlappingSecret } from "@property-search/contract";
import {
    errorsOf,
    isAllowed,
    quote,
    readSettings,
    type Allowed,
    type Setting,
    type ValuesOf,
} from "@property-search/contract/settings";
import * as pulumi from "@pulumi/pulumi";
import { warningsOf } from "./effects.ts";
import { SETTINGS, textOf } from "./settings/index.ts";
import type { ProgramRow } from "./settings/row.ts";
import { unknownKeys } from "./unknownKeys.ts";

/** Whether the config holds a key encrypted; exported by the SDK, and not declared. */
const { isConfigSecret } = pulumi.runtime as unknown as {
    readonly isConfigSecret: (key: string) => boolean;
};

/** What a secret shows where its value is not to be seen: a rendering without secrets holds it everywhere. */
export const MASK = "[secret]";

type Settings = typeof SETTINGS;
type Key = keyof Settings;

/** The value of a setting; undefined if it is not set, has no default and is not required. */
type ValueOf<R extends ProgramRow> =
    | (R extends { readonly secret: true } ? pulumi.Output<string> : ReturnType<R["parse"]>)
    | (R extends { readonly required: string }
          ? never
          : R["default"] extends ""
            ? undefined
            : never);

/** The settings whose keys are a name, a dot and a second name, by the second. */
type Group<Name extends string> = {
    readonly [K in Key as K extends `${Name}.${infer Rest}` ? SecondName<Rest> : never]: ValueOf<
        Settings[K]
    >;
};
type SecondName<Rest extends string> = Rest extends `${string}.${string}` ? never : Rest;

/** What is wrong with a key. */
interface ConfigError {
    readonly key: string;
    /** They follow the key's name. */
    readonly words: string;
    /** `value`: it is wrong whatever other keys say; `file`: it does not even stand in the file as it is meant. */
    readonly of: "file" | "value" | "others";
}

/**
 * Reads settings of the stack's config by their rows and gathers everything that is wrong with them, so that a person
 * who corrects a stack file needs one try and not one for each mistake. A key whose value is empty counts as not set: a
 * key declared in Pulumi.yaml without any default is required by Pulumi itself.
 */
export class ConfigReader {
    readonly #prefix: string;
    #all: Readonly<Record<string, string>> | undefined;
    /** By key without the project's name. */
    readonly #values = new Map<string, string>();
    readonly #errors: ConfigError[] = [];
    readonly #known = new Set<string>();

    constructor(config = new pulumi.Config()) {
        this.#prefix = `${config.name}:`;
    }

    /** All of the config, read once: the SDK parses it again for each key. */
    #read(): Readonly<Record<string, string>> {
        if (this.#all) return this.#all;
        this.#all = pulumi.runtime.allConfig();
        for (const [key, value] of Object.entries(this.#all)) {
            if (key.startsWith(this.#prefix)) {
                this.#values.set(key.slice(this.#prefix.length), value);
            }
        }
        return this.#all;
    }

    /** Keys that were read, without the project's name. */
    get known(): ReadonlySet<string> {
        return this.#known;
    }

    /** @returns the default of a setting that is not set or wrong. */
    get<K extends Key>(key: K): ValueOf<Settings[K]> {
        return this.#valueBy(key, SETTINGS[key]) as ValueOf<Settings[K]>;
    }

    /** All settings whose keys are a name, a dot and a second name. */
    group<Name extends string>(name: Name): Group<Name> {
        const values = (Object.keys(SETTINGS) as Key[]).flatMap((key) => {
            const [first, second = "", ...rest] = key.split(".");
            return first === name && rest.length === 0 ? [[second, this.get(key)]] : [];
        });
        return Object.fromEntries(values) as Group<Name>;
    }

    #valueBy(key: string, row: Omit<ProgramRow, "usedIf">): unknown {
        const { required } = row;
        if (row.secret) {
            return required === undefined
                ? this.secret(key, row)
                : this.requiredSecret(key, row, required);
        }
        const value = this.#get(key);
        if (value === undefined) {
            // An empty value of another key, such as a port, is a mistake that its default must not hide.
            if (!isEmpty(row.default) || required !== undefined) this.#missing(key, row, required);
        } else {
            const errors = errorsOf(row, value);
            if (errors.length === 0) return row.parse(value);
            for (const words of errors) this.addError(key, words, "value");
        }
        return row.default === "" && required === undefined ? undefined : row.default;
    }

    /** Text that another key requires; `reason` says which. */
    required(key: Key, reason: string): string {
        return this.requiredOf(key, SETTINGS[key], reason);
    }

    requiredOf(key: string, row: Omit<ProgramRow, "default" | "usedIf">, reason: string): string {
        const because = `, since ${reason}`;
        return String(this.#valueBy(key, { ...row, default: "", required: because }));
    }

    /** Settings of the service that the config has. Secrets are left out: `secret` reads them. */
    settings<S extends Readonly<Record<string, Setting>>>(rows: S): ValuesOf<S> {
        return readSettings(
            rows,
            ({ key, secret }) => (key === undefined || secret ? undefined : this.#get(key)),
            ({ key = "" }, words) => {
                this.addError(key, words, "value");
            },
        );
    }

    /** A value that is never shown, and that the stack's config holds encrypted. */
    secret(key: string, allowed: Allowed): pulumi.Output<string> | undefined {
        const value = this.#get(key);
        if (value === undefined) return undefined;
        // Pulumi.yaml cannot demand it: "secret: true" allows no default, and so no key that is not set.
        if (!isConfigSecret(`${this.#prefix}${key}`)) {
            this.addError(
                key,
                "is readable in the stack's config; allowed: pulumi config set --secret, or without Pulumi " +
                    "make secrets SECRET=key < file",
                "value",
            );
        }
        if (value !== MASK && !isAllowed(allowed, value)) {
            this.addError(key, `is wrong; allowed: ${allowed.words}`, "value");
        }
        return pulumi.secret(value);
    }

    /** The text of a secret, to be compared; undefined if it is not set, or not to be seen. */
    valueOfSecret(key: string): string | undefined {
        const value = this.#valueOf(key);
        return value === MASK ? undefined : value;
    }

    /** `reason` says why it must be set. */
    requiredSecret(key: string, allowed: Allowed, reason: string): pulumi.Output<string> {
        const value = this.secret(key, allowed);
        if (value === undefined) this.#missing(key, allowed, reason);
        return value ?? pulumi.secret("");
    }

    /** The values under which a secret is accepted besides its own: those of its successor and predecessor. */
    overlap(key: OverlappingSecret): pulumi.Output<string>[] {
        const { next, previous } = OVERLAPPING_SECRETS[key];
        return [next, previous].flatMap((one) => this.secret(one, SETTINGS[key]) ?? []);
    }

    isSet(key: string): boolean {
        return this.#get(key) !== undefined;
    }

    /**
     * Records an error of a key, in words that follow its name. It is reported unless a value causes it that is wrong
     * whatever other keys are: the key's own, or that of another key which the words name.
     */
    addError(key: string, words: string, of: ConfigError["of"] = "others"): void {
        this.#errors.push({ key, words, of });
    }

    /** Errors without those that follow from others. */
    #causes(): readonly ConfigError[] {
        const keysOf = (...kinds: readonly ConfigError["of"][]) =>
            new Set(this.#errors.flatMap(({ key, of }) => (kinds.includes(of) ? [key] : [])));
        const [trapped, wrong] = [keysOf("file"), keysOf("file", "value")];
        return this.#errors.filter(({ key, words, of }) => {
            if (of === "file") return true;
            if (trapped.has(key) || (of === "others" && wrong.has(key))) return false;
            // Before "allowed" stands the value, which may be any text.
            const named = words.slice(words.indexOf("allowed")).match(KEYS) ?? [];
            return !named.some((other) => other !== key && wrong.has(other));
        });
    }

    /** What is allowed and should be known, in sentences. */
    get warnings(): readonly string[] {
        return warningsOf((key) => this.#valueOf(key));
    }

    /** @throws pulumi.RunError with every error, unknown keys of the project included. */
    finish(): void {
        const all = this.#read();
        const project = this.#prefix.slice(0, -1);
        const causes = this.#causes().map(({ key, words }) => `${this.#prefix}${key} ${words}`);
        const errors = new Set(causes);
        for (const one of unknownKeys(Object.keys(all), project, this.#known, (key) => all[key])) {
            errors.add(one);
        }
        const count = errors.size;
        if (count === 0) return;
        throw new pulumi.RunError(
            `the stack's config has ${count} error${count > 1 ? "s" : ""}:` +
                [...errors].map((error) => `\n  - ${error}`).join(""),
        );
    }

    #missing(key: string, { words }: Allowed, reason = ""): void {
        this.addError(key, `is not set; allowed: ${words}${reason}`, "value");
    }

    #get(key: string): string | undefined {
        this.#known.add(key);
        return this.#valueOf(key);
    }

    #valueOf(key: string): string | undefined {
        this.#read();
        const value = this.#values.get(key);
        return value === "" ? undefined : value;
    }
}

/** Whether a default is an empty text, list or map, so that an empty value means the default. */
function isEmpty(value: unknown): boolean {
    return ["", "[]", "{}"].includes(textOf(value));
}

const KEYS = /[a-z]\w*(\.\w+)+/gi;

/** Words for a value, after its key. */
export function found(value: unknown): string {
    return value === undefined ? "is not set" : `is ${quote(value)}`;
}
