import { UserError } from "@property-search/contract";
import { execa, type Options } from "execa";
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PATHS } from "./paths.ts";

/** An error that the user can fix; its message says how. */
export class LocalError extends UserError {
    override readonly name = "LocalError";
}

/** Where a step writes what its commands print, and how it is stopped. */
export interface Step {
    readonly log: string;
    readonly signal: AbortSignal;
    /** Shows one line of progress. */
    readonly report: (line: string) => void;
}

/** An empty log for a step: what an older run wrote is not what failed now. */
export function logFile(step: string): string {
    mkdirSync(PATHS.logs, { recursive: true });
    const file = path.join(PATHS.logs, `${step}.log`);
    writeFileSync(file, "");
    return file;
}

const MAX_ERROR_LINES = 15;

/**
 * Runs a command with its output in the step's log.
 *
 * @returns its standard output.
 * @throws LocalError with the command, the log's last lines and its path.
 */
export async function run(
    step: Step,
    command: string,
    args: readonly string[],
    options: Pick<Options, "cwd" | "env" | "input"> & { doing?: string } = {},
): Promise<string> {
    const { doing, ...rest } = options;
    step.signal.throwIfAborted();
    const log = createWriteStream(step.log, { flags: "a" });
    log.write(`$ ${command} ${args.join(" ")}\n`);
    const child = execa(command, args, {
        ...rest,
        reject: false,
        cancelSignal: step.signal,
        stdin: rest.input === undefined ? "ignore" : "pipe",
        maxBuffer: 50_000_000,
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const result = await child;
    await new Promise((resolve) => log.end(resolve));
    step.signal.throwIfAborted();
    if (result.exitCode === 0) return result.stdout;
    const why = result.code === "ENOENT" ? "is not installed" : `exit code ${result.exitCode}`;
    const tail = readFileSync(step.log, "utf8").trimEnd().split("\n").slice(-MAX_ERROR_LINES);
    throw new LocalError(
        `${doing ?? `${command} ${args[0] ?? ""}`} failed (${why}).\n` +
            `${tail.map((line) => `  | ${line}`).join("\n")}\n  The whole log: ${step.log}`,
    );
}

/** @returns standard output without the line's end, or undefined when the command fails or is missing. */
export async function tryRun(
    command: string,
    args: readonly string[],
): Promise<string | undefined> {
    const { exitCode, stdout } = await execa(command, args, { reject: false, stdin: "ignore" });
    return exitCode === 0 ? stdout : undefined;
}
