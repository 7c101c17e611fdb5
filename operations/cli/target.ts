import { UserError } from "@property-search/contract";
import type { Command } from "commander";
import { KUBECONFIG_WORDS } from "../stack/localCluster.ts";
import { readStack, requireGiven } from "../stack/stacks.ts";

/** Cluster and stack of a command. */
export interface Target {
    readonly stack?: string;
    readonly kubeconfig?: string;
    readonly context?: string;
}

/** Target of a command without a default stack. */
export interface StackTarget extends Target {
    readonly stack: string;
}

/** Prints one line of progress. */
export const report = (line: string): void => {
    console.log(`  ${line}`);
};

/** Aborted by Ctrl-C. */
export const interrupted = new AbortController();
let interruption = "interrupted; run the same command again to finish";

// Not `once`: signal-exit, which execa uses, ends a process that has no other listener.
process.on("SIGINT", () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort(new UserError(interruption));
});

/** Sets the message that a command prints when Ctrl-C ends it. */
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

/** @param absent describes the default stack. Default: the option is required */
export function onStack(command: Command, absent?: string): Command {
    const words = absent ?? "; one of the files Pulumi.<name>.yaml";
    const made = onCluster(command.option("--stack <name>", `stack${words}`, readStack));
    if (absent !== undefined) return made;
    return made.hook("preAction", (called) => {
        requireGiven(called.opts<Target>().stack);
    });
}
