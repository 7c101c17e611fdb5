import { json, type KubernetesObject } from "./object.ts";

/** Kinds that say how many pods a workload has. */
export const SCALERS = ["HorizontalPodAutoscaler", "ScaledObject"] as const;

/** Kinds of workloads that have a number of pods. */
export const REPLICATED = ["Deployment", "StatefulSet", "Rollout"] as const;

/** A number of pods, and the field of the scaler's spec that says it. */
export interface Bound {
    readonly field: string;
    readonly pods: number;
}

export function isScaler({ kind }: KubernetesObject): boolean {
    return SCALERS.some((one) => one === kind);
}

/** What a scaler scales, in its own namespace. */
export function targetOf({ body }: KubernetesObject): { kind: unknown; name: unknown } {
    // KEDA's default (https://keda.sh/docs/latest/reference/scaledobject-spec/); others have to say it.
    const { kind = "Deployment", name } = json(json(body.spec).scaleTargetRef);
    return { kind, name };
}

/** The fewest pods that a scaler leaves, with the defaults of its kind. */
export function leastOf({ kind, body }: KubernetesObject): Bound {
    const { minReplicas = 1, minReplicaCount = 0, idleReplicaCount } = json(body.spec);
    if (kind !== "ScaledObject") return bound("minReplicas", minReplicas);
    return idleReplicaCount === undefined
        ? bound("minReplicaCount", minReplicaCount)
        : bound("idleReplicaCount", idleReplicaCount);
}

/** The most pods that a scaler makes, with the defaults of its kind. */
export function mostOf({ kind, body }: KubernetesObject): Bound {
    const { maxReplicas, maxReplicaCount = 100 } = json(body.spec);
    return kind === "ScaledObject"
        ? bound("maxReplicaCount", maxReplicaCount)
        : bound("maxReplicas", maxReplicas);
}

/** Finds the scalers of a workload, as a stack does. */
export interface ScalerFinder {
    scalersOf(workload: KubernetesObject): KubernetesObject[];
}

/** The fewest pods that a workload has while all is well. */
export function fewestOf(workload: KubernetesObject, stack: ScalerFinder): number {
    const scalers = stack.scalersOf(workload);
    if (scalers.length > 0) return Math.min(...scalers.map((one) => leastOf(one).pods));
    const { replicas = 1 } = json(workload.body.spec);
    return Number(replicas);
}

/** `1 replica`, `2 replicas`. */
export function inReplicas(count: number): string {
    return `${count} ${count === 1 ? "replica" : "replicas"}`;
}

function bound(field: string, pods: unknown): Bound {
    return { field, pods: Number(pods) };
}
