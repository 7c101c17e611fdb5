import * as pulumi from "@pulumi/pulumi";
import type { Allowed } from "./allowed.ts";
import { warningsOf } from "./effects.ts";
import { unknownKeys } from "./unknownKeys.ts";

/** What a secret shows where its value is not to be seen: a rendering without secrets holds it everywhere. */
export const MASK = "[secret]";

/** Why a secret that deploy/ makes must be set. */
export const GENERATED = "; the stack's first deploy generates it, or make secrets STACK=<stack>";

/**
 * Reads values of the project's config and gathers everything that is wrong with them, so that a person
 * who corrects a stack file needs one try and not one for each mistake. A key whose value is empty
 * counts as not set: a key declared in Pulumi.yaml without any default is required by Pulumi itself.
 */
export class ConfigReader {
    readonly #prefix: string;
    #values: Readonly<Record<string, string>> | undefined;
    readonly #findings = new Set<string>();
    readonly #known = new Set<string>();

    constructor(config = new pulumi.Config()) {
        this.#prefix = `${config.name}:`;
    }

    /** The SDK would read all of the config again for each key. */
    get #all(): Readonly<Record<string, string>> {
        return (this.#values ??= pulumi.runtime.allConfig());
    }

    /** Keys that were read, without the project's name. */
    get known(): ReadonlySet<string> {
        return this.#known;
    }

    /** A value that must be set. `reason` says why where that depends on another key. */
    required(key: string, allowed: Allowed, reason = ""): string {
        const value = this.optional(key, allowed);
        if (value === undefined) this.#found(key, undefined, allowed.words, reason);
        return value ?? "";
    }

    optional(key: string, allowed: Allowed): string | undefined {
        const value = this.#get(key);
        if (value === undefined) return undefined;
        if (NO_VALUE.test(value) || !allowed.fits(value)) this.#found(key, value, allowed.words);
        return value;
    }

    integer(key: string, minimum: number, maximum: number): number {
        const value = this.#get(key);
        const number = value !== undefined && INTEGER.test(value) ? Number(value) : NaN;
        if (!(number >= minimum && number <= maximum)) {
            this.#found(key, value, `a whole number from ${minimum} to ${maximum}`);
        }
        return number;
    }

    /** @param fallback the value of a key that is not set */
    integerOr(key: string, minimum: number, maximum: number, fallback: number): number {
        return this.#get(key) === undefined ? fallback : this.integer(key, minimum, maximum);
    }

    decimal(key: string, minimum: number, maximum: number): number {
        const value = this.#get(key);
        const number = value !== undefined && DECIMAL.test(value) ? Number(value) : NaN;
        if (!(number >= minimum && number <= maximum)) {
            this.#found(key, value, `a number from ${minimum} to ${maximum}`);
            return NaN;
        }
        return number;
    }

    boolean(key: string): boolean {
        const value = this.#get(key);
        if (value !== "true" && value !== "false") this.#found(key, value, "true or false");
        return value === "true";
    }

    oneOf<T extends string>(key: string, allowed: readonly [T, ...T[]]): T {
        const value = this.#get(key);
        const match = allowed.find((one) => one === value);
        if (match === undefined) this.#found(key, value, allowed.join(", "));
        return match ?? allowed[0];
    }

    list(key: string, allowed: Allowed): string[] {
        const value = this.json(key);
        const items: unknown[] | undefined = Array.isArray(value) ? value : undefined;
        if (!items) this.#found(key, value, `a list of ${allowed.words}`);
        const wrong = items?.filter((item) => typeof item !== "string" || !allowed.fits(item));
        for (const item of wrong ?? []) this.#found(key, item, `a list of ${allowed.words}`);
        return (items ?? []).map(String);
    }

    /** The parsed value of a key whose type is object or array, unchecked; its text if it is no JSON. */
    json(key: string): unknown {
        const value = this.#get(key);
        try {
            return value === undefined ? undefined : (JSON.parse(value) as unknown);
        } catch {
            return value;
        }
    }

    /** A value that is never shown. */
    secret(key: string, allowed: Allowed): pulumi.Output<string> | undefined {
        const value = this.#get(key);
        if (value === undefined) return undefined;
        if (value !== MASK && (NO_VALUE.test(value) || !allowed.fits(value))) {
            this.finding(key, `is wrong; allowed: ${allowed.words}`);
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

    /** Notes what is wrong with a key, in words that follow its name; once, however often it is read. */
    finding(key: string, words: string): void {
        this.#findings.add(`${this.#prefix}${key} ${words}`);
    }

    /** Keys that a stack sets and that other keys leave without any effect, a sentence for each of these. */
    get warnings(): readonly string[] {
        return warningsOf((key) => this.#get(key));
    }

    /** @throws pulumi.RunError with every finding, keys of the project that nobody reads included. */
    finish(): void {
        const keys = Object.keys(this.#all);
        for (const one of unknownKeys(keys, this.#prefix.slice(0, -1), this.#known)) {
            this.#findings.add(one);
        }
        const count = this.#findings.size;
        if (count === 0) return;
        throw new pulumi.RunError(
            `the stack's config has ${count} finding${count > 1 ? "s" : ""}:` +
                [...this.#findings].map((finding) => `\n  - ${finding}`).join(""),
        );
    }

    #found(key: string, value: unknown, words: string, reason = ""): void {
        const found = value === undefined ? "is not set" : `is ${shown(value)}`;
        this.finding(key, `${found}; allowed: ${words}${reason && `, since ${reason}`}`);
    }

    #get(key: string): string | undefined {
        this.#known.add(key);
        const value = this.#all[`${this.#prefix}${key}`];
        return value === "" ? undefined : value;
    }
}

/** What YAML, or a program before this one, makes of a value that is not there or is no text. */
const NO_VALUE = /^(~|null|undefined|nan|true|false|\[object Object\])$/i;
const INTEGER = /^(0|-?[1-9]\d{0,14})$/;
const DECIMAL = /^(0|[1-9]\d{0,14})(\.\d{1,15})?$/;

const MOST_SHOWN = 200;

function shown(value: unknown): string {
    const text = JSON.stringify(value);
    if (text.length <= MOST_SHOWN) return text;
    return `${text.slice(0, MOST_SHOWN)}… (${text.length} characters)`;
}
