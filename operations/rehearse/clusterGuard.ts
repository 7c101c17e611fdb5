import { UserError } from "@property-search/contract";
import { connect, type Cluster } from "../cluster/connect.ts";
import { clusterId } from "../deploy/binding.ts";
import { localKubeconfig } from "../stack/localCluster.ts";

/** A command that disturbs a cluster. */
export interface Disturbance {
    readonly cluster: Cluster;
    /** Such as `make rehearse NAME=redis-loss`. */
    readonly command: string;
    /** Variable CONFIRM: name of the context of a cluster that is not local. */
    readonly confirm?: string | undefined;
    /** Whether it only works on, or is only safe for, the cluster of `make up`. */
    readonly localOnly: boolean;
}

/** Whether a cluster is the one of `make up` on this machine. */
export async function isLocalCluster(cluster: Cluster): Promise<boolean> {
    const kubeconfig = localKubeconfig();
    if (kubeconfig === undefined) return false;
    const local = connect(kubeconfig);
    if (local.server !== cluster.server) return false;
    // Another cluster may have the same address on loopback.
    const [one, other] = await Promise.all([clusterId(local), clusterId(cluster)]);
    return one === other;
}

/** @throws UserError unless the cluster is local, or the user has confirmed its context by name */
export function assertMayDisturb(
    { cluster, command, confirm, localOnly }: Disturbance,
    isLocal: boolean,
): void {
    if (isLocal) return;
    if (localOnly) {
        throw new UserError(
            `${command} is for the cluster of make up only; context ${cluster.context} is another one`,
        );
    }
    if (confirm === cluster.context) return;
    const given = confirm === undefined || confirm === "" ? "is not set" : `is "${confirm}"`;
    throw new UserError(
        `${command} makes parts of ${cluster.context} fail, which is not the cluster of make up, and CONFIRM ${given}; ` +
            `allowed: the name of the context to disturb, CONTEXT=${cluster.context} CONFIRM=${cluster.context}`,
    );
}
