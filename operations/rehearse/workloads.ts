import type { V1StatefulSet } from "@kubernetes/client-node";
import { NAMESPACES, REDIS_NAME } from "@property-search/contract";
import { readIfExists, type Cluster } from "../cluster/connect.ts";
import { disturb } from "./disturb.ts";
import { waitUntil, type WaitOptions } from "./wait.ts";

/** A StatefulSet of the stack. */
export interface SetReference {
    readonly namespace: string;
    readonly name: string;
}

export const REDIS_SET: SetReference = { namespace: NAMESPACES.data, name: REDIS_NAME };

export function referenceOf({ namespace, name }: SetReference) {
    return { apiVersion: "apps/v1", kind: "StatefulSet", namespace, name };
}

export function readSet(cluster: Cluster, set: SetReference): Promise<V1StatefulSet | undefined> {
    return readIfExists<V1StatefulSet>(cluster, referenceOf(set));
}

/** Declared number of pods. @returns 0 if the StatefulSet does not exist */
export async function readReplicas(cluster: Cluster, set: SetReference): Promise<number> {
    return (await readSet(cluster, set))?.spec?.replicas ?? 0;
}

/** Does what `kubectl scale` does. */
export async function scaleSet(
    cluster: Cluster,
    set: SetReference,
    replicas: number,
): Promise<void> {
    await disturb<V1StatefulSet>(cluster, referenceOf(set), ({ spec }) => {
        if (spec) spec.replicas = replicas;
    });
}

/** Whether a StatefulSet has as many pods as declared, all of them ready and at the current revision. */
export async function isSetReady(cluster: Cluster, set: SetReference): Promise<boolean> {
    const { metadata, spec, status } = (await readSet(cluster, set)) ?? {};
    const replicas = spec?.replicas;
    return (
        status?.observedGeneration === metadata?.generation &&
        status?.replicas === replicas &&
        (status?.readyReplicas ?? 0) === replicas &&
        status?.currentRevision === status?.updateRevision
    );
}

export async function waitForSet(
    cluster: Cluster,
    set: SetReference,
    wait: WaitOptions,
): Promise<number> {
    return waitUntil(`${set.name} is ready`, () => isSetReady(cluster, set), wait);
}

/** Gives a StatefulSet its pods again, and waits until they are ready; one that has them stays as it is. */
export async function restoreReplicas(
    cluster: Cluster,
    set: SetReference,
    replicas: number,
    wait: WaitOptions,
): Promise<void> {
    if ((await readReplicas(cluster, set)) !== replicas) await scaleSet(cluster, set, replicas);
    await waitForSet(cluster, set, wait);
}

/** How the stack runs Redis. */
export async function redisMode(cluster: Cluster): Promise<"standalone" | "cluster" | "external"> {
    const set = await readSet(cluster, REDIS_SET);
    if (!set) return "external";
    return (set.spec?.replicas ?? 1) > 1 ? "cluster" : "standalone";
}
