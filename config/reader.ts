import {
    BOOLEAN,
    describeText,
    integer,
    isAllowed,
    oneOf,
    quote,
    readSettings,
    type Allowed,
    type Setting,
    type ValuesOf,
} from "@property-search/contract/settings";
import * as pulumi from "@pulumi/pulumi";
import { LABEL_KEY, LABEL_VALUE } from "./allowed.ts";
import { warningsOf } from "./effects.ts";
import { unknownKeys } from "./unknownKeys.ts";

/** Whether the config holds a key encrypted; exported by the SDK, and not declared. */
const { isConfigSecret } = pulumi.runtime as unknown as {
    readonly isConfigSecret: (key: string) => boolean;
};

/** What a secret shows where its value is not to be seen: a rendering without secrets holds it everywhere. */
export const MASK = "[secret]";

/** Why a secret that operations/ makes must be set. */
export const GENERATED = "; the stack's first deploy generates it, or make secrets STACK=<stack>";

const LABELS_WORDS =
    "an object of label keys and values, each value text, such as { team: search }";

/** What is wrong with a key. */
interface ConfigError {
    readonly key: string;
    /** They follow the key's name. */
    readonly words: string;
    /** `value`: it is wrong whatever other keys say; `file`: it does not even stand in the file as it is meant. */
    readonly of: "file" | "value" | "others";
}

/**
 * Reads values of the project's config and gathers everything that is wrong with them, so that a person
 * who corrects a stack file needs one try and not one for each mistake. A key whose value is empty
 * counts as not set: a key declared in Pulumi.yaml without any default is required by Pulumi itself.
 */
export class ConfigReader {
    readonly #prefix: string;
    #all: Readonly<Record<string, string>> | undefined;
    /** By key without the project's name. */
    readonly #values = new Map<string, string>();
    readonly #errors: ConfigError[] = [];
    /** By key, the words for what it may be. */
    readonly #known = new Map<string, string>();

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

    /** Keys that were read, without the project's name, each with words for what it may be. */
    get known(): ReadonlyMap<string, string> {
        return this.#known;
    }

    /** A value that must be set. `reason` says why where that depends on another key. */
    required(key: string, allowed: Allowed, reason = ""): string {
        const value = this.optional(key, allowed);
        if (value === undefined) this.#found(key, undefined, allowed.words, reason);
        return value ?? "";
    }

    optional(key: string, allowed: Allowed): string | undefined {
        const value = this.#get(key, allowed.words);
        if (value === undefined) return undefined;
        if (!isAllowed(allowed, value)) this.#wrong(key, value, allowed);
        return value;
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

    integer(key: string, least: number, most: number): number {
        const kind = integer(least, most);
        const value = this.#get(key, kind.words) ?? "";
        if (kind.fits(value)) return kind.parse(value);
        this.#wrong(key, value, kind);
        return NaN;
    }

    /** @param fallback the value of a key that is not set */
    integerOr(key: string, minimum: number, maximum: number, fallback: number): number {
        const { words } = integer(minimum, maximum);
        return this.#get(key, words) === undefined ? fallback : this.integer(key, minimum, maximum);
    }

    decimal(key: string, minimum: number, maximum: number): number {
        const words = `a number from ${minimum} to ${maximum}`;
        const value = this.#get(key, words);
        const number = value !== undefined && DECIMAL.test(value) ? Number(value) : NaN;
        if (!(number >= minimum && number <= maximum)) {
            this.#found(key, value, words);
            return NaN;
        }
        return number;
    }

    boolean(key: string): boolean {
        const value = this.#get(key, BOOLEAN.words) ?? "";
        if (!BOOLEAN.fits(value)) this.#wrong(key, value, BOOLEAN);
        return BOOLEAN.parse(value);
    }

    oneOf<T extends string>(key: string, allowed: readonly [T, ...T[]]): T {
        const kind = oneOf(...allowed);
        const value = this.#get(key, kind.words) ?? "";
        if (kind.fits(value)) return kind.parse(value);
        this.#wrong(key, value, kind);
        return allowed[0];
    }

    list(key: string, allowed: Allowed): string[] {
        const words = `a list of ${allowed.words}`;
        const value = this.json(key, words);
        const items: unknown[] | undefined = Array.isArray(value) ? value : undefined;
        if (!items) this.#found(key, value, words);
        const wrong = items?.filter((item) => typeof item !== "string" || !allowed.fits(item));
        for (const item of wrong ?? []) this.#found(key, item, words);
        return (items ?? []).map(String);
    }

    /** Labels by key, of a key whose type is object. */
    labels(key: string): Readonly<Record<string, string>> {
        const { value = {} } = { value: this.json(key, LABELS_WORDS) };
        if (!isObject(value)) {
            this.#found(key, value, LABELS_WORDS);
            return {};
        }
        for (const [name, one] of Object.entries(value)) {
            if (LABEL_KEY.fits(name) && typeof one === "string" && LABEL_VALUE.fits(one)) continue;
            this.addError(key, `has ${name}: ${quote(one)}; allowed: ${LABELS_WORDS}`);
        }
        return value as Readonly<Record<string, string>>;
    }

    /** The parsed value of a key whose type is object or array, unchecked; its text if it is no JSON. */
    json(key: string, words?: string): unknown {
        const value = this.#get(key, words);
        try {
            return value === undefined ? undefined : (JSON.parse(value) as unknown);
        } catch {
            return value;
        }
    }

    /** A value that is never shown, and that the stack's config holds encrypted. */
    secret(key: string, allowed: Allowed): pulumi.Output<string> | undefined {
        const value = this.#get(key, allowed.words);
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

    /** `reason` says why it must be set. */
    requiredSecret(key: string, allowed: Allowed, reason: string): pulumi.Output<string> {
        const value = this.secret(key, allowed);
        if (value === undefined) this.#found(key, undefined, `${allowed.words}${reason}`);
        return value ?? pulumi.secret("");
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
        const known = new Set(this.#known.keys());
        for (const one of unknownKeys(Object.keys(all), project, known, (key) => all[key])) {
            errors.add(one);
        }
        const count = errors.size;
        if (count === 0) return;
        throw new pulumi.RunError(
            `the stack's config has ${count} error${count > 1 ? "s" : ""}:` +
                [...errors].map((error) => `\n  - ${error}`).join(""),
        );
    }

    #wrong(key: string, value: string, allowed: Allowed): void {
        const words = `${describeText(allowed, value)}; allowed: ${allowed.words}`;
        this.addError(key, words, "value");
    }

    #found(key: string, value: unknown, words: string, reason = ""): void {
        const because = reason && `, since ${reason}`;
        this.addError(key, `${found(value)}; allowed: ${words}${because}`, "value");
    }

    #get(key: string, words = this.#known.get(key) ?? ""): string | undefined {
        this.#known.set(key, words);
        return this.#valueOf(key);
    }

    #valueOf(key: string): string | undefined {
        this.#read();
        const value = this.#values.get(key);
        return value === "" ? undefined : value;
    }
}

const KEYS = /[a-z]\w*(\.\w+)+/gi;
const DECIMAL = /^(0|[1-9]\d{0,14})(\.\d{1,15})?$/;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Words for a value, after its key. */
export function found(value: unknown): string {
    return value === undefined ? "is not set" : `is ${quote(value)}`;
}
