import { UserError } from "@property-search/contract";
import type { Command } from "commander";
import { KUBECONFIG_WORDS } from "../stack/localCluster.ts";
import { readStack, requireGiven } from "../stack/stacks.ts";

/** Which cluster and stack a command is about. */
export interface Target {
    readonly stack?: string;
    readonly kubeconfig?: string;
    readonly context?: string;
}

/** Of a command that has no default stack. */
export interface StackTarget extends Target {
    readonly stack: string;
}

/** Gets one line for each thing that a command does. */
export const report = (line: string): void => {
    console.log(`  ${line}`);
};

/** Aborted by Ctrl-C. */
export const interrupted = new AbortController();
let interruption = "interrupted; run the same command again to finish";

// Not once: signal-exit, which execa uses, ends a process whose listeners are all its own.
process.on("SIGINT", () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort(new UserError(interruption));
});

/** A command that says something else than "run it again" when Ctrl-C ends it. */
export function whenInterrupted(command: Command, words: string): Command {
    return command.hook("preAction", () => {
        interruption = words;
    });
}

export function onCluster(command: Command): Command {
    return command
        .option("--kubeconfig <file>", KUBECONFIG_WORDS)
        .option("--context <name>", "context of the kubeconfig; default: its current one");
}

/** @param absent which stack it is when none is given. Default: one has to be */
export function onStack(command: Command, absent?: string): Command {
    const words = absent ?? ", one of those with a file Pulumi.<name>.yaml";
    const made = onCluster(command.option("--stack <name>", `stack${words}`, readStack));
    if (absent !== undefined) return made;
    return made.hook("preAction", (called) => {
        requireGiven(called.opts<Target>().stack);
    });
}
