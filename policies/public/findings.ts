import type { Exemption, StackPolicies } from "../core/config.ts";

type Place = Pick<Exemption, "namespace" | "workload" | "container">;

/**
 * What the pack finds at a mandatory level in the manifests of others, by project and rule, and why it is
 * right to: as exemptions, so that a finding that is not here fails, and so does one that is no longer made.
 */
export const FINDINGS: Readonly<Record<string, StackPolicies>> = {
    "kube-prometheus": {
        "readiness-probe": right(
            "Prometheus scrapes it through its Service, which sends it requests before it listens.",
            { workload: "blackbox-exporter", container: "blackbox-exporter" },
            { workload: "prometheus-operator", container: "prometheus-operator" },
            { container: "kube-rbac-proxy*" },
        ),
    },
    KEDA: {
        "memory-limit": right(
            "Each has a limit of ten times its request: three of them overcommit a node by 2.7 GB.",
            { workload: "keda-operator" },
            { workload: "keda-metrics-apiserver" },
            { workload: "keda-admission" },
        ),
    },
    "metrics-server": { "memory-limit": noMemoryLimit({ workload: "metrics-server" }) },
    Traefik: {
        "readiness-probe": right(
            "Traefik answers /ping once it has its configuration; until then its clients get a 404.",
            { workload: "traefik" },
        ),
        "memory-limit": noMemoryLimit({ workload: "traefik" }, { workload: "whoami" }),
    },
    "kube-state-metrics": { "memory-limit": noMemoryLimit({ workload: "kube-state-metrics" }) },
    "Argo CD": {
        "readiness-probe": right(
            "Its Service sends it requests, dex's logins among them, before it listens.",
            { workload: "argocd-applicationset-controller" },
            { workload: "argocd-dex-server" },
        ),
        "memory-limit": noMemoryLimit({ workload: "argocd-*" }),
    },
    descheduler: { "memory-limit": noMemoryLimit({ workload: "descheduler-cronjob" }) },
};

function noMemoryLimit(...places: readonly Place[]): Partial<StackPolicies> {
    return right(
        "It grows with the cluster and has no limit: what it leaks, its node loses.",
        ...places,
    );
}

function right(reason: string, ...places: readonly Place[]): Partial<StackPolicies> {
    return { exempt: places.map((place) => ({ ...place, reason, expires: "9999-12-31" })) };
}
