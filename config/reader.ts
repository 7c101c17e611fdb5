import { parseBytes, parseCpu } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import { unknownKeys } from "./unknownKeys.ts";

/** What a value may be: a test, and the words for it in a finding. */
export interface Allowed {
    readonly fits: (value: string) => boolean;
    readonly words: string;
}

export function pattern(expression: RegExp, words: string): Allowed {
    return { fits: (value) => expression.test(value), words };
}

export const CPUS: Allowed = {
    fits: (value) => (parseCpu(value) ?? 0) > 0,
    words: "CPUs such as 1, 0.5 or 500m",
};

export const BYTES: Allowed = {
    fits: (value) => (parseBytes(value) ?? 0) > 0,
    words: "bytes such as 512Mi or 4Gi",
};

/** Words for a secret that deploy/ makes. */
export const GENERATED =
    "a secret; the stack's first deploy generates it, or make secrets STACK=<stack>";

/**
 * Reads values of the project's config and gathers everything that is wrong with them, so that a person
 * who corrects a stack file needs one try and not one for each mistake. A key whose value is empty
 * counts as not set: a key declared in Pulumi.yaml without any default is required by Pulumi itself.
 */
export class ConfigReader {
    readonly #config: pulumi.Config;
    readonly #findings: string[] = [];
    readonly #known = new Set<string>();

    constructor(config = new pulumi.Config()) {
        this.#config = config;
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
        if (value !== undefined && !allowed.fits(value)) this.#found(key, value, allowed.words);
        return value;
    }

    integer(key: string, minimum: number, maximum: number): number {
        const value = this.#get(key);
        const number = value !== undefined && /^-?\d+$/.test(value) ? Number(value) : NaN;
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
        const number = value !== undefined && /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
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
        const items: unknown[] = Array.isArray(value) ? value : [value];
        const wrong = items.filter((item) => typeof item !== "string" || !allowed.fits(item));
        for (const item of wrong) this.#found(key, item, `a list of ${allowed.words}`);
        return items.map(String);
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
    secret(key: string): pulumi.Output<string> | undefined {
        return this.#get(key) === undefined ? undefined : this.#config.getSecret(key);
    }

    requiredSecret(key: string, words: string): pulumi.Output<string> {
        const value = this.secret(key);
        if (value === undefined) this.#found(key, undefined, words);
        return value ?? pulumi.secret("");
    }

    isSet(key: string): boolean {
        return this.#get(key) !== undefined;
    }

    /** Notes what is wrong with a key, in words that follow its name; once, however often it is read. */
    finding(key: string, words: string): void {
        const finding = `${this.#config.name}:${key} ${words}`;
        if (!this.#findings.includes(finding)) this.#findings.push(finding);
    }

    /** @throws pulumi.RunError with every finding, keys of the project that nobody reads included. */
    finish(): void {
        const keys = Object.keys(pulumi.runtime.allConfig());
        this.#findings.push(...unknownKeys(keys, this.#config.name, this.#known));
        const count = this.#findings.length;
        if (count === 0) return;
        throw new pulumi.RunError(
            `the stack's config has ${count} finding${count > 1 ? "s" : ""}:` +
                this.#findings.map((finding) => `\n  - ${finding}`).join(""),
        );
    }

    #found(key: string, value: unknown, words: string, reason = ""): void {
        const found = value === undefined ? "is not set" : `is ${JSON.stringify(value)}`;
        this.finding(key, `${found}; allowed: ${words}${reason && `, since ${reason}`}`);
    }

    #get(key: string): string | undefined {
        this.#known.add(key);
        const value = pulumi.runtime.getConfig(`${this.#config.name}:${key}`);
        return value === "" ? undefined : value;
    }
}
