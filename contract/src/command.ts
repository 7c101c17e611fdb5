import { describeError } from "./describeError.ts";

/** The part of a Commander program that is used here. This package has no dependencies. */
interface Program {
    readonly parseAsync: () => Promise<unknown>;
}

export interface CommandOptions {
    /** If aborted, its reason is reported instead of the resulting error. */
    readonly signal?: AbortSignal;
    /** Exit code of a failed command. Default: 1 */
    readonly failureExitCode?: number;
}

/** Runs a command line and prints errors for the user. All programs of the repository use it. */
export async function runCommand(
    program: Program,
    { signal, failureExitCode: failure = 1 }: CommandOptions = {},
): Promise<void> {
    try {
        await program.parseAsync();
    } catch (error) {
        const { code, exitCode } = error as { code?: unknown; exitCode?: unknown };
        // With exitOverride, Commander has already printed the argument error or the help.
        const isReported = typeof code === "string" && code.startsWith("commander.");
        process.exitCode = isReported && exitCode === 0 ? 0 : failure;
        if (!isReported) console.error(describeError(signal?.aborted ? signal.reason : error));
    }
}
