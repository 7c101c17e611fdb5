import { GENERATED_SECRETS, suggestNearest } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse, type YAMLParseError } from "yaml";
import { MASK } from "../config/reader.ts";
import { ROWS, textOf } from "../config/settings/index.ts";

const SECRETS = [...ROWS].flatMap(([key, { secret }]) => (secret ? [key] : []));

const ROOT = path.resolve(import.meta.dirname, "..");

/** Config as the language host hands it to a program: full keys, values as text. */
export interface ProgramConfig {
    readonly project: string;
    readonly values: Readonly<Record<string, string>>;
    /** Keys whose values are secret. */
    readonly secretKeys: readonly string[];
}

interface Project {
    readonly name: string;
    readonly config: Readonly<Record<string, { default?: unknown }>>;
}

/**
 * The config of a stack as Pulumi would compute it: the stack's file over the project's defaults, and
 * `given` over both. Without `given`, secrets that a rendering cannot know are masked; with it, it is
 * taken for the whole truth, so that no mask can ever be deployed as a password.
 *
 * @param given values by key without the project's name; they may be secret.
 * @param overrides values over all others.
 * @param root folder of Pulumi.yaml and the stack files.
 * @throws pulumi.RunError if the stack has no file, or the file contains an unreadable secret
 */
export function stackConfig(
    stack: string,
    given: Readonly<Record<string, string>> | undefined,
    overrides: Readonly<Record<string, string>> = {},
    root = ROOT,
): ProgramConfig {
    const project = readYaml(root, "Pulumi.yaml") as Project;
    const qualifyKey = (key: string) => `${project.name}:${key}`;
    const declared = Object.entries(project.config).map(
        ([key, declaration]) => [qualifyKey(plainKey(key)), declaration] as const,
    );
    const secretKeys = new Set(SECRETS.map(qualifyKey));
    const values = new Map<string, string>();

    for (const [key, { default: value }] of declared) {
        if (value !== undefined) values.set(key, textOf(value));
    }
    const encrypted = new Set<string>();
    for (const [key, value] of Object.entries(readStackFile(root, stack, project.name))) {
        if (isEncrypted(value)) encrypted.add(key);
        // The program finds it readable, among all that is wrong.
        else secretKeys.delete(key);
        values.set(key, isEncrypted(value) ? MASK : textOf(value));
    }
    if (!given) for (const key of GENERATED_SECRETS) values.set(qualifyKey(key), MASK);
    for (const [key, value] of Object.entries({ ...given, ...overrides })) {
        values.set(qualifyKey(key), value);
        encrypted.delete(qualifyKey(key));
    }
    if (given && encrypted.size > 0) rejectEncrypted([...encrypted], stack);
    return {
        project: project.name,
        values: Object.fromEntries(values),
        secretKeys: [...secretKeys],
    };
}

function plainKey(key: string): string {
    return /^\["(.+)"\]$/.exec(key)?.[1] ?? key;
}

/**
 * Fields of a stack's file (https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/), but for
 * `environment`: only Pulumi's engine can open environments, and neither a rendering nor a check has their values.
 */
const FIELDS = ["config", "secretsprovider", "encryptedkey", "encryptionsalt"];
const ENVIRONMENT = "environment";

/** Config of a stack's file by full key. A key without a project is the project's, as Pulumi reads it. */
function readStackFile(root: string, stack: string, project: string): Record<string, unknown> {
    const file = `Pulumi.${stack}.yaml`;
    try {
        const { config, [ENVIRONMENT]: environment, ...others } = toMap(readYaml(root, file), file);
        if (environment !== undefined && environment !== null) rejectEnvironment(environment, file);
        const unknown = Object.keys(others).filter((field) => !FIELDS.includes(field));
        if (unknown.length > 0) rejectFields(unknown, file);
        const entries = Object.entries(toMap(config, `config of ${file}`)).map(
            ([key, value]) => [key.includes(":") ? key : `${project}:${key}`, value] as const,
        );
        const twice = entries.filter(
            ([key], index) => entries.findIndex(([one]) => one === key) < index,
        );
        if (twice.length > 0) {
            const keys = twice.map(([key]) => key).join(", ");
            throw new pulumi.RunError(
                `${keys} is in ${file} twice, with and without its project; allowed: once`,
            );
        }
        return Object.fromEntries(entries);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        throw new pulumi.RunError(
            `stack is ${JSON.stringify(stack)}; it has no file ${file} (docs/stacks.md begins one)`,
        );
    }
}

function toMap(value: unknown, where: string): Record<string, unknown> {
    if (value === undefined || value === null) return {};
    if (typeof value === "object" && !Array.isArray(value)) {
        return value as Record<string, unknown>;
    }
    throw new pulumi.RunError(`${where} is ${JSON.stringify(value)}; allowed: a map`);
}

function rejectEnvironment(value: unknown, file: string): never {
    throw new pulumi.RunError(
        `${ENVIRONMENT} of ${file} is ${JSON.stringify(value)}; allowed: nothing, since only Pulumi's engine can open ` +
            "environments of Pulumi ESC: write their values under config",
    );
}

function rejectFields(fields: readonly string[], file: string): never {
    const words = fields.map(
        (field) =>
            `${field} of ${file} is unknown; allowed: ${FIELDS.join(", ")}${suggestNearest(field, FIELDS)}`,
    );
    throw new pulumi.RunError(words.join("\n"));
}

/** Parsed files by their text: the property tests read the same ones thousands of times. */
const parsedByText = new Map<string, unknown>();

function readYaml(root: string, file: string): unknown {
    const text = readFileSync(path.join(root, file), "utf8");
    try {
        if (!parsedByText.has(text)) parsedByText.set(text, parse(text));
        return parsedByText.get(text);
    } catch (error) {
        const { code, message } = error as YAMLParseError;
        if (code === "MULTIPLE_DOCS") {
            throw new pulumi.RunError(`${file} has several documents; allowed: one`);
        }
        throw new pulumi.RunError(`${file} is no YAML: ${message}`);
    }
}

function isEncrypted(value: unknown): boolean {
    return typeof value === "object" && value !== null && "secure" in value;
}

function rejectEncrypted(keys: readonly string[], stack: string): never {
    throw new pulumi.RunError(
        `${keys.join(", ")} cannot be read: Pulumi.${stack}.yaml holds it encrypted, and only Pulumi ` +
            `has the key. Deploy with Pulumi, or store the value for a deploy without: make secrets STACK=${stack} SECRET=key < file`,
    );
}
