import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

export const ROOT = path.resolve(import.meta.dirname, "../../..");

/** A simple command of a page: what the shell runs between `;`, `|`, `&&` and line ends. */
export interface DocCommand {
    /** Path of the page from the repository's root. */
    readonly page: string;
    /** The command without comment, redirections and assignments before it. */
    readonly text: string;
    readonly words: readonly string[];
    /** Whether it is code in prose, not a line of a block. */
    readonly isInline: boolean;
}

const PROGRAMS = [
    "make",
    "npm",
    "npx",
    "node",
    "kubectl",
    "pulumi",
    "curl",
    "git",
    "jq",
    "openssl",
];
const INLINE = new RegExp(`(?<!\`)\`((?:${PROGRAMS.join("|")}) [^\`]+)\`(?!\`)`, "g");

/** Every page with commands for people; the policies' page is generated and has none. */
export const PAGES = ["*.md", "docs/**/*.md", "examples/**/*.md", "*/README.md"]
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT, exclude: ["node_modules/**"] }))
    .filter((page, index, all) => all.indexOf(page) === index && !page.includes("node_modules"))
    .sort();

/** @returns commands of the fenced `sh` blocks of a page, and of its code in prose that begins with a program */
export function commandsOf(page: string): readonly DocCommand[] {
    const text = readFileSync(path.join(ROOT, page), "utf8");
    const fences = [...text.matchAll(/^( *)```(\w*)\n([^]*?)^ *```$/gm)];
    const blocks = fences.filter(([, , language]) =>
        /^(sh|bash|shell|console)$/.test(language ?? ""),
    );
    const prose = text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
    const inline = [...prose.matchAll(INLINE)].map(([, code = ""]) => code.replaceAll(/\s+/g, " "));
    const read = (scripts: readonly string[], isInline: boolean) =>
        scripts
            .flatMap(splitCommands)
            .map((words) => ({ page, text: words.join(" "), words, isInline }));
    const scripts = blocks.map(([, , , code = ""]) => code);
    return [...read(scripts, false), ...read(inline, true)];
}

const EXECUTABLE = /^[\w./-]+$/;
const KEYWORDS = new Set(["for", "do", "done", "in", "exec", "cd", "…"]);

/** @returns the words of each simple command of a script, those of command substitutions too */
export function splitCommands(script: string): readonly (readonly string[])[] {
    const substitutions = [...script.matchAll(/\$\(([^()]*)\)/g)].flatMap(([, inner = ""]) =>
        splitCommands(inner),
    );
    return [...substitutions, ...tokenize(script).map(withoutPrefix)].filter(
        ([program = ""]) =>
            EXECUTABLE.test(program) && !KEYWORDS.has(program) && program !== "eval",
    );
}

/** Splits a script at what ends a command, outside of quotes. Quotes are removed from words. */
function tokenize(script: string): string[][] {
    const token =
        /\\\n|#[^\n]*|\n|&&|\|\||[;|&]|\d?[<>]+ *[^\s;|&]+|(?:\$\([^()]*\)|"(?:\\.|[^"\\])*"|'[^']*'|\\.|<[\w.-]+>|[^\s"'\\;|&<>])+|\s+|[<>]/gu;
    const commands: string[][] = [[]];
    let isWordStart = true;
    for (const [text] of script.matchAll(token)) {
        if (/^(\n|&&|\|\||[;|&])$/.test(text)) commands.push([]);
        else if (text.startsWith("#") && isWordStart) continue;
        else if (!/^(\s+|\\\n|\d?[<>]+ .*|\d?>+\S*|[<>])$/.test(text))
            commands.at(-1)?.push(text.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, "$1$2"));
        isWordStart = /\s$/.test(text);
    }
    return commands;
}

/** Leaves out keywords and assignments before a command. */
function withoutPrefix(words: readonly string[]): readonly string[] {
    const start = words.findIndex((word) => !/^([A-Za-z_]+=.*|do|exec)$/s.test(word));
    return start < 0 ? [] : words.slice(start);
}

export interface Ended {
    readonly text: string;
    readonly exitCode: number;
    readonly output: string;
}

/** Runs a command in a folder. A command that fails says so in its result. */
export async function shell(
    script: string,
    env: Readonly<Record<string, string>> = {},
    cwd = ROOT,
): Promise<Ended> {
    try {
        const { stdout, stderr } = await promisify(execFile)("bash", ["-c", script], {
            cwd,
            env: { ...process.env, ...env },
            maxBuffer: 64 * 1024 * 1024,
        });
        return { text: script, exitCode: 0, output: stdout + stderr };
    } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { text: script, exitCode: code, output: stdout + stderr };
    }
}
