import type { KubernetesObject, V1PersistentVolumeClaim, V1Pod } from "@kubernetes/client-node";
import { LABELS, REDIS_NAME } from "@property-search/contract";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { deleteIfExists } from "../cluster/connect.ts";
import { deploy } from "../deploy/deploy.ts";
import { readRecordedConfig } from "../deploy/apply/record.ts";
import { localKubeconfig } from "../stack/localCluster.ts";
import { createPutBackFile } from "./journal.ts";
import type { RehearsalContext, RehearsalTarget } from "./rehearsal.ts";
import { waitUntil } from "./wait.ts";
import { readSet, REDIS_SET, scaleSet } from "./workloads.ts";

/** What a single server was before it became a cluster. */
export interface SingleServer {
    /** Config overrides of the stack's last deploy. */
    readonly config: Readonly<Record<string, string>>;
    /** Backup of its entries. */
    readonly file: string;
}

/** Six small pods: the node of `make up` has two cores, most of which other pods have requested. */
const CLUSTER_CONFIG = {
    "redis.mode": "cluster",
    "redis.memoryLimit": "128Mi",
    "redis.cpuRequest": "10m",
};
const DEPLOY_SECONDS = 420;
const GONE_SECONDS = 120;

/** Reads what `restoreSingleServer` needs. */
export async function saveSingleServer({
    cluster,
    stack,
    contextWords,
    make,
}: RehearsalContext): Promise<SingleServer> {
    const file = await createPutBackFile();
    await make("back up the single server", ["backup", `OUT=${file}`, ...contextWords]);
    return { config: await readRecordedConfig(cluster, stack), file };
}

/** Makes the single server of `make up` a Redis Cluster, which keeps its entries (docs/runbooks/redis.md). */
export async function convertToCluster(
    context: RehearsalContext,
    { config }: SingleServer,
): Promise<void> {
    await context.step("set redis.mode to cluster, with six small pods, and deploy", () =>
        deployWith(context, { ...config, ...CLUSTER_CONFIG }),
    );
}

/** Makes the cluster a single server again, with new volumes and the entries of the backup. Repeatable. */
export async function restoreSingleServer(
    target: RehearsalTarget,
    { config, file }: SingleServer,
): Promise<void> {
    if (!existsSync(file)) return;
    await target.step("remove the Redis Cluster with its volumes", () => removeNodes(target));
    await target.step("set redis.mode as before, and deploy", () => deployWith(target, config));
    await target.make("restore the entries", ["restore", `IN=${file}`, ...target.contextWords]);
    await rm(file);
}

async function deployWith(
    { stack, signal }: RehearsalTarget,
    config: SingleServer["config"],
): Promise<void> {
    const kubeconfig = localKubeconfig();
    await deploy({
        stack,
        config,
        report: () => undefined,
        timeoutSeconds: DEPLOY_SECONDS,
        ...(kubeconfig !== undefined && { kubeconfig }),
        ...(signal && { signal }),
    });
}

/** The volumes go too: they remember the cluster, and a later one needs new ones (docs/runbooks/redis.md). */
async function removeNodes({ cluster, signal }: RehearsalTarget): Promise<void> {
    const { namespace } = REDIS_SET;
    if (await readSet(cluster, REDIS_SET)) await scaleSet(cluster, REDIS_SET, 0);
    const labelSelector = `${LABELS.name}=${REDIS_NAME}`;
    const list = <T extends KubernetesObject>(kind: string) =>
        cluster.objects.list<T>("v1", kind, { namespace, labelSelector });
    const claims = await list<V1PersistentVolumeClaim>("PersistentVolumeClaim");
    for (const { metadata } of claims.items) {
        const name = metadata?.name ?? "";
        await deleteIfExists(cluster, {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            namespace,
            name,
        });
    }
    const areGone = async () => {
        const pods = await list<V1Pod>("Pod");
        const left = await list<V1PersistentVolumeClaim>("PersistentVolumeClaim");
        return pods.items.length + left.items.length === 0;
    };
    await waitUntil("the volumes are gone", areGone, { seconds: GONE_SECONDS, signal });
}
