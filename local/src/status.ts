import { describeConnectionLoss, COLOURS } from "@property-search/contract";
import { connect } from "@property-search/operations/cluster/connect.ts";
import { gatewayUrl, readLiveWeights } from "@property-search/operations/gateway/endpoint.ts";
import { existsSync } from "node:fs";
import { KIND_KUBECONFIG } from "./kind/cluster.ts";
import { clusterNodes, findEngine } from "./kind/engine.ts";
import { findForeignNode, listOwnLeftovers } from "./node/remove.ts";
import { KUBECONFIG } from "./node/start.ts";
import { CACHE } from "./paths.ts";
import { tryRun } from "./shell.ts";

/** What of the platform is on this machine, in lines for people. */
export async function status(): Promise<string> {
    const node = await listOwnLeftovers();
    const lines = node.length > 0 ? await nodeLines(node) : [];
    const engine = await findEngine();
    if (engine !== undefined && (await clusterNodes(engine)).length > 0)
        lines.push(`Cluster: kind by ${engine}`, ...(await edgeLines(KIND_KUBECONFIG)));
    if (lines.length === 0) lines.push(noCluster(await findForeignNode()));
    const size = (await tryRun("du", ["-sh", CACHE]))?.split("\t")[0];
    return [...lines, `Caches: ${size ?? "none"} in ${CACHE}`].join("\n");
}

function noCluster(another: string | undefined): string {
    return another === undefined
        ? "Cluster: none; make up creates it"
        : `Cluster: none of this cache; another one's node is here (${another})`;
}

async function nodeLines(parts: readonly string[]): Promise<string[]> {
    if (!existsSync(KUBECONFIG)) {
        return [`Cluster: incomplete node (${parts.join("; ")}); make up recreates it`];
    }
    return [
        "Cluster: a node of this machine's own; network policies are enforced by kube-router",
        ...(await edgeLines(KUBECONFIG)),
        `  export KUBECONFIG=${KUBECONFIG}`,
    ];
}

async function edgeLines(kubeconfig: string): Promise<string[]> {
    try {
        const cluster = connect(kubeconfig);
        const [url, weights] = await Promise.all([gatewayUrl(cluster), readLiveWeights(cluster)]);
        const shares = COLOURS.map((colour) => `${colour} ${weights[colour]} %`).join(", ");
        return [`  serves at ${url}: ${shares}`];
    } catch (error) {
        const words = error instanceof Error ? error.message : String(error);
        return [`  does not serve: ${describeConnectionLoss(error) ?? words}`];
    }
}
