import type { V1Pod } from "@kubernetes/client-node";
import { NAMESPACES } from "@property-search/contract";
import type { Cluster } from "../cluster/connect.ts";

/**
 * Whether every pod of the stack is ready.
 *
 * @param startedSince the containers must have started since this time, in milliseconds since the epoch: after a node's
 * end, its pods stay "ready" until the kubelet reports again. Default: at any time
 */
export async function arePodsReady(cluster: Cluster, startedSince = 0): Promise<boolean> {
    const lists = await Promise.all(
        Object.values(NAMESPACES).map((namespace) =>
            cluster.objects.list<V1Pod>("v1", "Pod", { namespace }),
        ),
    );
    const pods = lists
        .flatMap(({ items }) => items)
        .filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed");
    return (
        pods.length > 0 &&
        pods.every(({ status }) =>
            (status?.containerStatuses ?? []).every(
                ({ ready, state }) =>
                    ready &&
                    // JSON has a text here, unlike the client's types; its resolution is a second.
                    Date.parse(String(state?.running?.startedAt)) >= startedSince - 1000,
            ),
        )
    );
}
