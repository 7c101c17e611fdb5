import { asJson, type KubernetesObject } from "./object.ts";

/** Kinds that control the replica count of a workload. */
export const SCALERS = ["HorizontalPodAutoscaler", "ScaledObject"] as const;

/** Kinds of workloads with a replica count. */
export const REPLICATED_KINDS = ["Deployment", "StatefulSet", "Rollout"] as const;

/** A replica count, and the field of the scaler's spec that sets it. */
export interface ReplicaBound {
    readonly field: string;
    readonly pods: number;
}

export function isScaler({ kind }: KubernetesObject): boolean {
    return SCALERS.some((one) => one === kind);
}

/** @returns the target of a scaler, in its own namespace. */
export function getScaleTarget({ body }: KubernetesObject): { kind: unknown; name: unknown } {
    // KEDA's default (https://keda.sh/docs/latest/reference/scaledobject-spec/); required in other scalers.
    const { kind = "Deployment", name } = asJson(asJson(body.spec).scaleTargetRef);
    return { kind, name };
}

/** @returns the minimum of a scaler, with the defaults of its kind. */
export function getMinReplicas({ kind, body }: KubernetesObject): ReplicaBound {
    const { minReplicas = 1, minReplicaCount = 0, idleReplicaCount } = asJson(body.spec);
    if (kind !== "ScaledObject") return toBound("minReplicas", minReplicas);
    return idleReplicaCount === undefined
        ? toBound("minReplicaCount", minReplicaCount)
        : toBound("idleReplicaCount", idleReplicaCount);
}

/** @returns the maximum of a scaler, with the defaults of its kind. */
export function getMaxReplicas({ kind, body }: KubernetesObject): ReplicaBound {
    const { maxReplicas, maxReplicaCount = 100 } = asJson(body.spec);
    return kind === "ScaledObject"
        ? toBound("maxReplicaCount", maxReplicaCount)
        : toBound("maxReplicas", maxReplicas);
}

/** Finds the scalers of a workload; implemented by Stack. */
export interface ScalerFinder {
    scalersFor(workload: KubernetesObject): KubernetesObject[];
}

/** @returns the minimum replica count of a workload. */
export function countMinReplicas(workload: KubernetesObject, stack: ScalerFinder): number {
    const scalers = stack.scalersFor(workload);
    if (scalers.length > 0) return Math.min(...scalers.map((one) => getMinReplicas(one).pods));
    const { replicas = 1 } = asJson(workload.body.spec);
    return Number(replicas);
}

/** `1 replica`, `2 replicas`. */
export function formatReplicas(count: number): string {
    return `${count} ${count === 1 ? "replica" : "replicas"}`;
}

function toBound(field: string, pods: unknown): ReplicaBound {
    return { field, pods: Number(pods) };
}
