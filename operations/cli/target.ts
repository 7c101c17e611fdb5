import { UserError } from "@property-search/contract";
import type { Command } from "commander";
import type { Cluster } from "../cluster/connect.ts";
import { stackOfCluster } from "../deploy/binding.ts";
import { connectStack } from "../deploy/connectStack.ts";
import { KUBECONFIG_HELP, localStack } from "../stack/localCluster.ts";
import { readStack, requireStackName } from "../stack/stacks.ts";

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
export const interruption = new AbortController();
let interruptMessage = "interrupted; run the same command again to finish";

// Not `once`: signal-exit, which execa uses, ends a process that has no other listener.
process.on("SIGINT", () => {
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort(new UserError(interruptMessage));
});

/** Sets the message that a command prints when Ctrl-C ends it. */
export function withInterruptMessage(command: Command, words: string): Command {
    return command.hook("preAction", () => {
        interruptMessage = words;
    });
}

export function withClusterOptions(command: Command): Command {
    return command
        .option("--kubeconfig <file>", KUBECONFIG_HELP)
        .option("--context <name>", "context of the kubeconfig; default: its current one");
}

/** @param absent describes the default stack. Default: the option is required */
export function withStackOptions(command: Command, absent?: string): Command {
    const words = absent ?? "; one of the files Pulumi.<name>.yaml";
    const made = withClusterOptions(command.option("--stack <name>", `stack${words}`, readStack));
    if (absent !== undefined) return made;
    return made.hook("preAction", (called) => {
        requireStackName(called.opts<Target>().stack);
    });
}

/** Target of a command that makes parts of a cluster fail. */
export interface DisturbTarget extends Target {
    readonly confirm?: string;
}

/** Options of a command that makes parts of a cluster fail; its default stack is that of the cluster. */
export function withDisturbOptions(command: Command): Command {
    return withStackOptions(command, "; default: that of the cluster").option(
        "--confirm <context>",
        "context of a cluster to disturb that is not local",
    );
}

/** Connects to the cluster of a target, and finds the stack on it. */
export async function connectTarget(
    target: Target,
): Promise<{ readonly cluster: Cluster; readonly stack: string }> {
    const cluster = await connectStack(target);
    return { cluster, stack: target.stack ?? (await stackOfCluster(cluster)) ?? localStack() };
}
