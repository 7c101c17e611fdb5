import { UserError } from "@property-search/contract";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

const REPOSITORY = path.resolve(import.meta.dirname, "../..");
/** Variables of the calling make, which would become those of the called one. */
const OF_CALLER = ["MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "NAME", "OUT", "QUICK"];
const SHOWN_LINES = 8;

export interface MakeOptions {
    /** Interrupts the command, as Ctrl-C does. */
    readonly signal?: AbortSignal | undefined;
    /** Receives each line of its output. */
    readonly onLine?: (line: string) => void;
}

export interface MakeResult {
    /** null: a signal ended it. */
    readonly exitCode: number | null;
    readonly output: string;
}

/** The command as an operator types it. */
export function describeMake(words: readonly string[]): string {
    const quote = (word: string) =>
        /[\s"]/.test(word) ? word.replace(/=(.*)$/s, (_, value: string) => `="${value}"`) : word;
    return ["make", ...words].map(quote).join(" ");
}

/** Runs one of the repository's commands to its end, in a process group of its own. */
export async function runMake(
    words: readonly string[],
    { signal, onLine }: MakeOptions = {},
): Promise<MakeResult> {
    signal?.throwIfAborted();
    const env = Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !OF_CALLER.includes(name)),
    );
    // A terminal's Ctrl-C must not reach it: putting back runs such commands after one.
    const child = spawn("make", words, {
        cwd: REPOSITORY,
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
        env,
    });
    const interrupt = () => {
        try {
            if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
        } catch {
            // It has already ended.
        }
    };
    signal?.addEventListener("abort", interrupt);
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
            lines.push(line);
            onLine?.(line);
        });
    }
    const [exitCode] = (await once(child, "close")) as [number | null];
    signal?.removeEventListener("abort", interrupt);
    return { exitCode, output: lines.join("\n") };
}

/** As runMake. @throws UserError with the last lines if it fails; the signal's reason if aborted */
export async function requireMake(
    words: readonly string[],
    options: MakeOptions = {},
): Promise<string> {
    const { exitCode, output } = await runMake(words, options);
    options.signal?.throwIfAborted();
    if (exitCode === 0) return output;
    const last = output.split("\n").filter(Boolean).slice(-SHOWN_LINES).join("\n");
    throw new UserError(`${describeMake(words)} failed (${exitCode ?? "signal"}):\n${last}`);
}
