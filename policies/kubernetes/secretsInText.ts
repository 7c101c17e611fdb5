import { message, template } from "../cel/cel.ts";

/*
 * Finds secrets in text by names and by formats. The findings contain no part of a secret, since they are shown
 * publicly.
 */

/** Key formats of well-known services, specific enough to exclude other text. */
export const KEY_FORMATS: Readonly<Record<string, RegExp>> = {
    "a private key": /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/,
    "an AWS access key": /\b(?:AKIA|ASIA)[A-Z\d]{16}\b/,
    "a GitHub token": /\b(?:gh[oprsu]_[A-Za-z\d]{36,}|github_pat_\w{22,})/,
    "a GitLab token": /\bglpat-[\w-]{20,}/,
    "a Slack token": /\bxox[a-z]-[A-Za-z\d-]{10,}/,
    "a Slack webhook": /hooks\.slack\.com\/(?:services|workflows|triggers)\/T\w+\/\w+\/\w+/,
    "a Google API key": /\bAIza[\w-]{35}/,
    "a Stripe key": /\b[rs]k_live_[A-Za-z\d]{20,}/,
    "an OpenAI or Anthropic key": /\bsk-(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}/,
    "a Hugging Face token": /\bhf_[A-Za-z\d]{34,}/,
    "a JSON Web Token": /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/,
};

/** `scheme://user:password@host`; the user may be empty. */
export const URL = /\b[a-z][a-z\d+.-]{0,20}:\/\/[^\s/:@"'`]*:(?<value>[^\s/@"'`]+)@/gi;

/** Endings of names of secrets; a name with a suffix such as `_FILE` only refers to one. */
export const SECRET_NAME =
    /(?:^|_)(?:password|passwd|passphrase|pass|pwd|secret|token|api_?key|(?:access|account|auth|encryption|master|private|secret|shared|signing)_?key|requirepass|masterauth)\d*$/;

/** Names that refer to a Secret or to a position in a list. */
export const NO_SECRET_NAME =
    /(?:^|_)(?:ca|cert|certificate|continue|next|page|pull|tls)_(?:secret|token)$/;

/** Names whose value may be a secret or the name of a Secret. */
export const AMBIGUOUS_NAME = /(?:^|_)secret$/;
/** Names whose value is always a secret. */
export const CLIENT_SECRET_NAME = /(?:^|_)client_secret$/;
/** Names of objects, which consist of words, unlike generated keys. */
export const OBJECT_NAME =
    /^[a-z]+\d{0,2}(?:-(?:[a-z]+\d{0,2}|\d{1,2}))+$|^[a-z]+(?:secret|credentials|creds)$|^(?:secret|credentials|creds)[a-z]+$/;

/** Assignments in text: JSON, one per line, or in the syntax of Redis. */
const ASSIGNMENTS = [
    /"(?<name>[\w.-]+)"\s*:\s*"(?<value>[^"\\\n]+)"/g,
    /^[ \t-]*(?:export[ \t]+)?(?<name>[\w.-]+)[ \t]*[:=][ \t]*(?<quote>["']?)(?<value>[^\s"'#,;]+)\k<quote>[ \t]*[,;]?[ \t]*(?:#.*)?$/gm,
    /^[ \t]*(?<name>requirepass|masterauth)[ \t]+"?(?<value>[^\s"]+)"?[ \t]*$/gm,
];
/** Assignments in a command: `--password=x`, `-Dpassword=x`, `PASSWORD=x …`. */
const COMMAND_ASSIGNMENT =
    /(?:^|[\s;&|?"'])(?:-D|--?)?(?<name>[A-Za-z][\w.-]*)=["']?(?<value>[^\s"';&|]+)/g;

export const COMMENT = /^[ \t]*(?:#|;|\/\/).*$/gm;

/** Values that are no secrets: placeholders, references, paths and empty values. */
export const PLACEHOLDER =
    /^(?:\$\w+|.*(?:\$[({]|\{\{).*|%\(.*|<.*>|__.*__|\*+|x+|replace[-_].*|[.~]?\/.*|file:.*|[|>][+-]?|true|false|yes|no|on|off|null|none|nil|~|.*(?:redacted|masked).*)$/is;

/** Calls and look-ups in source code. */
const CODE = /^[$%]|\(/;

export const WELL_KNOWN_PASSWORD = "a well-known password";
export const LITERAL = "a literal";
export const assigns = template((name, value) => message`sets ${name} to ${value}`);
export const URL_WITH_PASSWORD = "contains a URL with a password";

/** A text with the name that it is assigned to. */
export interface Text {
    readonly name?: string | undefined;
    readonly text: string;
    /** Whether it is a command or an argument of one. */
    readonly isCommand: boolean;
}

/** @returns one message per kind of secret, as in "container x: …" */
export function findSecrets(
    { name, text, isCommand }: Text,
    wellKnown: readonly string[],
): ReadonlySet<string> {
    if (name !== undefined && isSecret(name, text))
        return new Set([describeAssignment(name, text)]);
    const found = new Set<string>();
    for (const [kind, shape] of Object.entries(KEY_FORMATS)) {
        if (shape.test(text)) found.add(`contains ${kind}`);
    }
    const uncommented = text.replaceAll(COMMENT, "");
    for (const { groups } of uncommented.matchAll(URL)) {
        if (isLiteral(groups?.value)) found.add(URL_WITH_PASSWORD);
    }
    for (const form of isCommand ? [...ASSIGNMENTS, COMMAND_ASSIGNMENT] : ASSIGNMENTS) {
        for (const { groups } of uncommented.matchAll(form)) {
            const { name: inner = "", value = "" } = groups ?? {};
            if (isSecret(inner, value) && !CODE.test(value))
                found.add(describeAssignment(inner, value));
        }
    }
    return found;

    function describeAssignment(variable: string, value: string): string {
        return assigns(variable, wellKnown.includes(value) ? WELL_KNOWN_PASSWORD : LITERAL);
    }
}

function isSecret(name: string, value: string): boolean {
    const words = name
        .replaceAll(/([a-z\d])([A-Z])/g, "$1_$2")
        .replaceAll(/[^A-Za-z\d]+/g, "_")
        .toLowerCase();
    if (!SECRET_NAME.test(words) || NO_SECRET_NAME.test(words) || !isLiteral(value)) return false;
    // Numbers are limits and counts, unless they are passwords; `DB_SECRET: db-credentials` refers to a Secret.
    if (/^\d+$/.test(value)) return /pass|pwd/.test(words);
    const mayName = AMBIGUOUS_NAME.test(words) && !CLIENT_SECRET_NAME.test(words);
    return !mayName || !OBJECT_NAME.test(value);
}

export function isLiteral(value: string | undefined): boolean {
    return value !== undefined && value.trim() !== "" && !PLACEHOLDER.test(value.trim());
}
