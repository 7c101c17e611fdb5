import type * as k8s from "@pulumi/kubernetes";

type Probe = k8s.types.input.core.v1.Probe;

/** Numeric, so that the kubelet can check `runAsNonRoot` without reading the image. */
const USER = 10001;

/** CPU and memory of one container, as Kubernetes quantities. */
export interface Resources {
    /** CPU request, such as 250m. */
    readonly cpuRequest: string;
    /** CPU limit, such as 1. */
    readonly cpuLimit: string;
    /** Memory request, such as 512Mi. */
    readonly memoryRequest: string;
    /** Memory limit, such as 1Gi. */
    readonly memoryLimit: string;
}

/** Requests and limits, with ephemeral storage for logs and emptyDir volumes; exceeding it means eviction. */
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

/** Pod-level settings that Pod Security "restricted" requires, and the group that owns volumes. */
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

/** Container-level settings that Pod Security "restricted" requires, and a read-only root filesystem. */
export function containerSecurityContext(): k8s.types.input.core.v1.SecurityContext {
    return {
        allowPrivilegeEscalation: false,
        privileged: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ["ALL"] },
    };
}

/** Timing of a readiness probe that takes a pod out of its Service after 15 s. */
export const READINESS_TIMING = { periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 };
/** Timing of a liveness probe that restarts a container after a minute. */
export const LIVENESS_TIMING = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 };

/** A probe of an HTTP path on the port named `http`. */
export function httpProbe(path: string, timing: Omit<Probe, "httpGet">): Probe {
    return { httpGet: { path, port: "http", scheme: "HTTP" }, ...timing };
}

/**
 * Spreads pods over nodes and zones, as far as all pods can be scheduled.
 *
 * @param revisionLabel label that distinguishes revisions. Without it, old pods count during a rollout, and the new
 * ones are not spread (kubernetes/kubernetes#98215).
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

/** A volume claim template named `data` for a StatefulSet. */
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

/** Retains the volumes when the StatefulSet is deleted or scaled down. */
export const RETAIN_VOLUMES: k8s.types.input.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy =
    {
        whenDeleted: "Retain",
        whenScaled: "Retain",
    };

/** A disruption budget by which one ready pod at a time may be evicted, and any pod that is not ready. */
export function disruptionBudget(
    matchLabels: Record<string, string>,
): k8s.types.input.policy.v1.PodDisruptionBudgetSpec {
    return {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels },
    };
}

/** Role and subject of a binding to a service account. */
export function bindRole(
    kind: "Role" | "ClusterRole",
    role: k8s.rbac.v1.Role | k8s.rbac.v1.ClusterRole,
    account: k8s.core.v1.ServiceAccount,
) {
    const { name, namespace } = account.metadata;
    return {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name, namespace }],
    };
}
