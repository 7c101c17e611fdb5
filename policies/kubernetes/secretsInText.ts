import { said, words } from "../cel/cel.ts";

/*
 * Finds secrets in text, by names and by shapes. What it returns holds nothing of them: findings are
 * shown to everybody.
 */

/** Shapes that services give their keys, so that no other text is taken for one. */
export const SHAPES: Readonly<Record<string, RegExp>> = {
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

/** What a secret's name ends with; one that goes on, such as `_FILE`, is about a secret. */
export const NAME =
    /(?:^|_)(?:password|passwd|passphrase|pass|pwd|secret|token|api_?key|(?:access|account|auth|encryption|master|private|secret|shared|signing)_?key|requirepass|masterauth)\d*$/;

/** Names of a Secret, and of places in a list. */
export const NO_NAME =
    /(?:^|_)(?:ca|cert|certificate|continue|next|page|pull|tls)_(?:secret|token)$/;

/** What names a Secret as often as it is one. */
export const NAMES = /(?:^|_)secret$/;
/** What always is one. */
export const CLIENTS = /(?:^|_)client_secret$/;
/** Names of objects, made of words; no key that somebody has generated looks so. */
export const OBJECT =
    /^[a-z]+\d{0,2}(?:-(?:[a-z]+\d{0,2}|\d{1,2}))+$|^[a-z]+(?:secret|credentials|creds)$|^(?:secret|credentials|creds)[a-z]+$/;

/** Where text sets something: as JSON, on a line of its own, as Redis does. */
const ASSIGNMENTS = [
    /"(?<name>[\w.-]+)"\s*:\s*"(?<value>[^"\\\n]+)"/g,
    /^[ \t-]*(?:export[ \t]+)?(?<name>[\w.-]+)[ \t]*[:=][ \t]*(?<quote>["']?)(?<value>[^\s"'#,;]+)\k<quote>[ \t]*[,;]?[ \t]*(?:#.*)?$/gm,
    /^[ \t]*(?<name>requirepass|masterauth)[ \t]+"?(?<value>[^\s"]+)"?[ \t]*$/gm,
];
/** In a command: `--password=x`, `-Dpassword=x`, `PASSWORD=x …`. */
const IN_COMMAND =
    /(?:^|[\s;&|?"'])(?:-D|--?)?(?<name>[A-Za-z][\w.-]*)=["']?(?<value>[^\s"';&|]+)/g;

export const COMMENT = /^[ \t]*(?:#|;|\/\/).*$/gm;

/** What is filled in later, is only called by its name, is a path, or stands for nothing. */
export const NO_LITERAL =
    /^(?:\$\w+|.*(?:\$[({]|\{\{).*|%\(.*|<.*>|__.*__|\*+|x+|replace[-_].*|[.~]?\/.*|file:.*|[|>][+-]?|true|false|yes|no|on|off|null|none|nil|~|.*(?:redacted|masked).*)$/is;

/** In files of programs, what is called or looked up. */
const CODE = /^[$%]|\(/;

export const KNOWN = "a password that everybody knows";
export const LITERAL = "a literal";
export const sets = words((name, value) => said`sets ${name} to ${value}`);
export const WITH_PASSWORD = "holds a URL with its password";

/** A text, and what it is the value of. */
export interface Text {
    readonly name?: string | undefined;
    readonly text: string;
    /** A command, or what is passed on to one. */
    readonly isCommand: boolean;
}

/** @returns what is wrong, each once, as in "container x: …" */
export function secretsIn(
    { name, text, isCommand }: Text,
    wellKnown: readonly string[],
): ReadonlySet<string> {
    if (name !== undefined && isSecret(name, text)) return new Set([set(name, text)]);
    const found = new Set<string>();
    for (const [kind, shape] of Object.entries(SHAPES)) {
        if (shape.test(text)) found.add(`holds ${kind}`);
    }
    const told = text.replaceAll(COMMENT, "");
    for (const { groups } of told.matchAll(URL)) {
        if (isLiteral(groups?.value)) found.add(WITH_PASSWORD);
    }
    for (const form of isCommand ? [...ASSIGNMENTS, IN_COMMAND] : ASSIGNMENTS) {
        for (const { groups } of told.matchAll(form)) {
            const { name: inner = "", value = "" } = groups ?? {};
            if (isSecret(inner, value) && !CODE.test(value)) found.add(set(inner, value));
        }
    }
    return found;

    function set(of: string, value: string): string {
        return sets(of, wellKnown.includes(value) ? KNOWN : LITERAL);
    }
}

function isSecret(name: string, value: string): boolean {
    const words = name
        .replaceAll(/([a-z\d])([A-Z])/g, "$1_$2")
        .replaceAll(/[^A-Za-z\d]+/g, "_")
        .toLowerCase();
    if (!NAME.test(words) || NO_NAME.test(words) || !isLiteral(value)) return false;
    // Numbers are limits and counts, unless they are passwords; `DB_SECRET: db-credentials` names one.
    if (/^\d+$/.test(value)) return /pass|pwd/.test(words);
    const mayName = NAMES.test(words) && !CLIENTS.test(words);
    return !mayName || !OBJECT.test(value);
}

export function isLiteral(value: string | undefined): boolean {
    return value !== undefined && value.trim() !== "" && !NO_LITERAL.test(value.trim());
}
