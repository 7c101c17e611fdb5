import type * as k8s from "@pulumi/kubernetes";

type Probe = k8s.types.input.core.v1.Probe;

/** Numeric, so that `runAsNonRoot` can be decided without reading the image. */
const USER = 10001;

/** CPU and memory of one container, as Kubernetes quantities. */
export interface Resources {
    readonly cpuRequest: string;
    readonly cpuLimit: string;
    readonly memoryRequest: string;
    readonly memoryLimit: string;
}

/** Requests and limits, with local disk for logs and the sized volumes; more of it means eviction. */
export function containerResources(
    resources: Resources,
): k8s.types.input.core.v1.ResourceRequirements {
    return {
        requests: {
            cpu: resources.cpuRequest,
            memory: resources.memoryRequest,
            "ephemeral-storage": "64Mi",
        },
        limits: {
            cpu: resources.cpuLimit,
            memory: resources.memoryLimit,
            "ephemeral-storage": "512Mi",
        },
    };
}

/** Pod-level settings that Pod Security "restricted" demands, and the group that owns volumes. */
export function podSecurityContext(): k8s.types.input.core.v1.PodSecurityContext {
    return {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
    };
}

/** Container-level settings that Pod Security "restricted" demands, and a root that nobody can write. */
export function containerSecurityContext(): k8s.types.input.core.v1.SecurityContext {
    return {
        allowPrivilegeEscalation: false,
        privileged: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ["ALL"] },
    };
}

/** A probe of an HTTP path on the port named `http`. */
export function httpProbe(path: string, timing: Omit<Probe, "httpGet">): Probe {
    return { httpGet: { path, port: "http", scheme: "HTTP" }, ...timing };
}

/**
 * Spreads pods over nodes and zones as long as that leaves no pod without a place.
 *
 * @param revisionLabel label that tells revisions apart. Without it, old pods count during a rollout
 * and push the new ones together (kubernetes/kubernetes#98215).
 */
export function topologySpread(
    matchLabels: Record<string, string>,
    revisionLabel: "pod-template-hash" | "controller-revision-hash",
): k8s.types.input.core.v1.TopologySpreadConstraint[] {
    return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels },
        matchLabelKeys: [revisionLabel],
    }));
}

/** A claim named `data`, of which each pod of a StatefulSet has its own. */
export function volumeClaim(
    storage: string,
    storageClass: string | undefined,
): k8s.types.input.core.v1.PersistentVolumeClaim {
    return {
        metadata: { name: "data" },
        spec: {
            accessModes: ["ReadWriteOnce"],
            ...(storageClass !== undefined && { storageClassName: storageClass }),
            resources: { requests: { storage } },
        },
    };
}

/** Volumes outlive the StatefulSet and the pods that it gives up. */
export const RETAIN_VOLUMES: k8s.types.input.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy =
    {
        whenDeleted: "Retain",
        whenScaled: "Retain",
    };

/** A budget that lets one pod at a time be evicted, and any pod that does not work anyway. */
export function disruptionBudget(
    matchLabels: Record<string, string>,
): k8s.types.input.policy.v1.PodDisruptionBudgetSpec {
    return {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels },
    };
}
