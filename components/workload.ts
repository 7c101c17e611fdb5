import type * as k8s from "@pulumi/kubernetes";

type Probe = k8s.types.input.core.v1.Probe;

/** Numeric, so that `runAsNonRoot` can be decided without reading the image. */
const USER = 10001;

/** Pod-level settings that Pod Security "restricted" demands, and the group that owns volumes. */
export function hardenedPod(user = USER): k8s.types.input.core.v1.PodSecurityContext {
    return {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: user,
        fsGroup: user,
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
    };
}

/** Container-level settings that Pod Security "restricted" demands, and a root that nobody can write. */
export function hardenedContainer(): k8s.types.input.core.v1.SecurityContext {
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
    return { httpGet: { path, port: "http" }, ...timing };
}

/** Spreads pods over nodes and zones, each revision for itself, as long as that costs no pod. */
export function spread(
    matchLabels: Record<string, string>,
): k8s.types.input.core.v1.TopologySpreadConstraint[] {
    return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels },
        // Without it, old pods count during a rollout and push the new ones together.
        matchLabelKeys: ["pod-template-hash"],
    }));
}

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
