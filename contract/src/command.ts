import { describeError } from "./describeError.ts";

/** What is needed of a Commander program: this package depends on nothing. */
interface Program {
    readonly parseAsync: () => Promise<unknown>;
}

export interface CommandOptions {
    /** Its reason is told in the place of what it made fail. */
    readonly signal?: AbortSignal;
    /** Exit code of a command that could not do what it was asked to. Default: 1 */
    readonly failure?: number;
}

/** Runs a command line. What goes wrong becomes words for the user here, in each of the repository's programs. */
export async function runCommand(
    program: Program,
    { signal, failure = 1 }: CommandOptions = {},
): Promise<void> {
    try {
        await program.parseAsync();
    } catch (error) {
        const { code, exitCode } = error as { code?: unknown; exitCode?: unknown };
        // With exitOverride: Commander has said already what is wrong with the arguments, or has shown its help.
        const isSaid = typeof code === "string" && code.startsWith("commander.");
        process.exitCode = isSaid && exitCode === 0 ? 0 : failure;
        if (!isSaid) console.error(describeError(signal?.aborted ? signal.reason : error));
    }
}
