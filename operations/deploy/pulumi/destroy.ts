import { ClusterError, type Cluster } from "../../cluster/connect.ts";
import { pulumiCli } from "./cli.ts";
import { findMissingPrerequisite } from "./installed.ts";
import { waitUntilUnlocked } from "./locks.ts";
import { openWorkspace, stateFolderFor } from "./workspace.ts";
import { createProgress } from "./progress.ts";
import { readStackObjects } from "./stack.ts";
import { stopOnce } from "./stopOnce.ts";

export interface DestroyOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `pulumi destroy` for a stack. The empty stack stays in the backend with its history, and its config with the
 * generated secrets, so that it can be deployed again.
 *
 * @returns the number of deleted objects; 0 if the backend has no such stack
 * @throws ClusterError
 */
export async function pulumiDestroy(options: DestroyOptions): Promise<number> {
    const { cluster, stack, report, signal } = options;
    const missing = await findMissingPrerequisite();
    if (missing !== undefined) {
        report(`cannot check whether Pulumi has a stack ${stack}: ${missing}`);
        return 0;
    }
    const kubeconfig = cluster.exportKubeconfig();
    const stateFolder = await stateFolderFor(cluster);
    const workspace = await openWorkspace({ stack, kubeconfig, stateFolder, report });
    const cli = pulumiCli(workspace, signal);
    const count = (await readStackObjects(cli, stack))?.length ?? 0;
    if (count === 0) return 0;
    await waitUntilUnlocked(workspace, { report, signal });
    report(`pulumi destroy of ${count} objects`);
    // Protection is for manual `pulumi destroy`; the user has confirmed the deletion of volumes.
    await cli.must(["state", "unprotect", "--all", "--yes", "--stack", stack]);
    const flags = ["--yes", "--skip-preview", "--suppress-outputs", "--refresh"];
    const onStack = ["--stack", stack, "--config-file", workspace.configFile];
    const output = createProgress();
    const process = cli.start(["destroy", ...flags, ...onStack], { all: true });
    const stop = stopOnce(() => process.kill("SIGINT"), output.isCancelling, signal);
    for await (const text of process.iterable({ from: "all" })) {
        const line = output.filter(String(text));
        if (line !== undefined) report(line);
    }
    const { exitCode } = await process;
    stop();
    signal?.throwIfAborted();
    if (exitCode === 0) return count;
    throw new ClusterError(
        `pulumi destroy failed with exit code ${exitCode}; see its output above. ` +
            "The remaining objects are in the stack's state: run the same command again to continue.",
    );
}
