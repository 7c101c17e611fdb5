import { connect, type Cluster } from "../cluster/connect.ts";
import { requireBinding } from "./binding.ts";
import { chooseKubeconfig, type ClusterChoice } from "../stack/localCluster.ts";
import { stackConfigFile } from "./pulumi/workspace.ts";
import { readConfig } from "./pulumi/stackFile.ts";

export interface StackChoice extends ClusterChoice {
    /** Config file of the stack. Default: the one in the checkout */
    readonly file?: string;
}

/**
 * Connects to the cluster of a stack: in the requested context, else in the stack's own, else in the current one. Without
 * a stack, any cluster is accepted.
 *
 * @throws ClusterError if the stack is bound to another cluster, or the cluster to another stack
 */
export async function connectStack(choice: StackChoice): Promise<Cluster> {
    const { stack, file = stack && stackConfigFile(stack) } = choice;
    const kubeconfig = chooseKubeconfig(choice);
    if (!stack || !file) return connect(kubeconfig, choice.context);
    const own = await readConfig(file, "cluster.context");
    const context =
        choice.context ??
        (["string", "number"].includes(typeof own) && own !== "" ? String(own) : undefined);
    const cluster = connect(kubeconfig, context);
    await requireBinding({ cluster, stack, file });
    return cluster;
}
