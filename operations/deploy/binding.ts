import type { V1ConfigMap, V1Namespace } from "@kubernetes/client-node";
import { LABELS, PART_OF } from "@property-search/contract";
import {
    ClusterError,
    deleteIfExists,
    FIELD_MANAGER,
    readIfExists,
    statusOf,
    type Cluster,
} from "../cluster/connect.ts";
import { ensureRecordNamespace, RECORD_NAMESPACE, removeRecordNamespace } from "./apply/record.ts";
import { stackConfigFile } from "./pulumi/workspace.ts";
import { readConfig, setConfig } from "./pulumi/stackFile.ts";

/** Config keys that identify a stack's cluster. */
const ID = "cluster.id";
const CONTEXT = "cluster.context";
/** Value of cluster.id for a stack with short-lived clusters, such as those of `make up`. */
const ANY = "any";

/** The cluster's record of its stack. */
const RECORD = {
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: RECORD_NAMESPACE,
    name: "cluster",
} as const;

export interface Binding {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly report: (line: string) => void;
    /** Config file of the stack. Default: the one in the checkout */
    readonly file?: string;
}

/** UID of namespace kube-system, which identifies the cluster. */
export async function clusterId(cluster: Cluster): Promise<string> {
    const reference = { apiVersion: "v1", kind: "Namespace", name: "kube-system" };
    const uid = (await readIfExists<V1Namespace>(cluster, reference))?.metadata?.uid;
    if (uid !== undefined) return uid;
    throw new ClusterError(
        `cluster ${cluster.context} has no readable UID of namespace kube-system`,
    );
}

/**
 * Checks that neither the stack nor the cluster is bound to another one.
 *
 * @throws ClusterError if the stack is bound to another cluster, or the cluster to another stack
 */
export async function requireBinding({
    cluster,
    stack,
    file = stackConfigFile(stack),
}: Omit<Binding, "report">): Promise<void> {
    await requireBindingTo({ cluster, stack, boundId: await readConfig(file, ID) });
}

export interface BoundStack {
    readonly cluster: Cluster;
    readonly stack: string;
    /** Value of the stack's cluster.id. */
    readonly boundId: unknown;
}

/** As requireBinding, for a config that is already read. */
export async function requireBindingTo({ cluster, stack, boundId }: BoundStack): Promise<void> {
    const id = await clusterId(cluster);
    if (typeof boundId === "string" && boundId !== "" && boundId !== ANY && boundId !== id) {
        throw new ClusterError(
            `stack ${stack} is bound to the cluster whose kube-system has the UID ${boundId}; context ` +
                `${cluster.context} is cluster ${id}. Set CONTEXT to the stack's own cluster. To move the stack, ` +
                `remove it there (make undeploy), then remove ${ID} and ${CONTEXT} from Pulumi.${stack}.yaml.`,
        );
    }
    const other = await stackOfCluster(cluster);
    if (other !== undefined && other !== stack) {
        throw new ClusterError(
            `cluster ${cluster.context} has stack ${other}, and a cluster has one stack only; this command is for ` +
                `${stack}. Set CONTEXT to another cluster, or remove ${other} first (make undeploy STACK=${other}).`,
        );
    }
}

/** Records the stack on the cluster, and the cluster in the stack's config file. Idempotent. */
export async function bind(binding: Binding): Promise<void> {
    const { cluster, stack, file = stackConfigFile(stack) } = binding;
    await claimCluster({ cluster, stack, boundId: await readConfig(file, ID) });
    await writeClusterToConfig(binding);
}

/**
 * Records the stack on the cluster.
 *
 * @throws ClusterError if a deploy of another stack was faster
 */
export async function claimCluster(claim: BoundStack): Promise<void> {
    const { cluster, stack } = claim;
    await ensureRecordNamespace(cluster);
    const { apiVersion, kind, namespace, name } = RECORD;
    const metadata = { namespace, name, labels: { [LABELS.partOf]: PART_OF } };
    const record: V1ConfigMap = { apiVersion, kind, metadata, data: { stack } };
    await cluster.objects
        .create(record, { fieldManager: FIELD_MANAGER })
        .catch(async (error: unknown) => {
            if (statusOf(error) !== 409) throw error;
            await requireBindingTo(claim);
        });
}

/** Records the cluster in the stack's config file, unless the file names one. */
export async function writeClusterToConfig(binding: Binding): Promise<void> {
    const { cluster, stack, report, file = stackConfigFile(stack) } = binding;
    const bound = await readConfig(file, ID);
    if (bound !== undefined && bound !== "") return;
    const context = await readConfig(file, CONTEXT);
    const values = { [ID]: await clusterId(cluster), [CONTEXT]: context ?? cluster.context };
    await setConfig(file, values);
    report(`Pulumi.${stack}.yaml now has the cluster (${ID}, ${CONTEXT}): commit it`);
}

/** Deletes the cluster's record of a removed stack, and the namespace of records if it was the last one. */
export async function unbind(cluster: Cluster, stack: string): Promise<void> {
    if ((await stackOfCluster(cluster)) !== stack) return;
    await deleteIfExists(cluster, RECORD);
    // A deploy by Pulumi without config overrides has no other record.
    await removeRecordNamespace(cluster);
}

/** The stack of a cluster; undefined if there is none. */
export async function stackOfCluster(cluster: Cluster): Promise<string | undefined> {
    return (await readIfExists<V1ConfigMap>(cluster, RECORD))?.data?.stack;
}
