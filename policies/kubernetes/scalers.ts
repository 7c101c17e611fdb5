import { json, type KubernetesObject } from "./object.ts";

/** Kinds that control the replica count of a workload. */
export const SCALERS = ["HorizontalPodAutoscaler", "ScaledObject"] as const;

/** Kinds of workloads with a replica count. */
export const REPLICATED = ["Deployment", "StatefulSet", "Rollout"] as const;

/** A replica count, and the field of the scaler's spec that sets it. */
export interface Bound {
    readonly field: string;
    readonly pods: number;
}

export function isScaler({ kind }: KubernetesObject): boolean {
    return SCALERS.some((one) => one === kind);
}

/** @returns the target of a scaler, in its own namespace. */
export function targetOf({ body }: KubernetesObject): { kind: unknown; name: unknown } {
    // KEDA's default (https://keda.sh/docs/latest/reference/scaledobject-spec/); required in other scalers.
    const { kind = "Deployment", name } = json(json(body.spec).scaleTargetRef);
    return { kind, name };
}

/** @returns the minimum of a scaler, with the defaults of its kind. */
export function leastOf({ kind, body }: KubernetesObject): Bound {
    const { minReplicas = 1, minReplicaCount = 0, idleReplicaCount } = json(body.spec);
    if (kind !== "ScaledObject") return bound("minReplicas", minReplicas);
    return idleReplicaCount === undefined
        ? bound("minReplicaCount", minReplicaCount)
        : bound("idleReplicaCount", idleReplicaCount);
}

/** @returns the maximum of a scaler, with the defaults of its kind. */
export function mostOf({ kind, body }: KubernetesObject): Bound {
    const { maxReplicas, maxReplicaCount = 100 } = json(body.spec);
    return kind === "ScaledObject"
        ? bound("maxReplicaCount", maxReplicaCount)
        : bound("maxReplicas", maxReplicas);
}

/** Finds the scalers of a workload; implemented by Stack. */
export interface ScalerFinder {
    scalersOf(workload: KubernetesObject): KubernetesObject[];
}

/** @returns the minimum replica count of a workload. */
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
