import type { Exemption, StackPolicies } from "../../../policies/engine/config.ts";

type Place = Pick<Exemption, "namespace" | "workload" | "container">;

const NO_REQUESTS =
    "Its installer is left to set them; as it stands, it is among the first that a full node evicts.";
const NO_MEMORY_LIMIT =
    "It grows with its cluster and has no limit: what it leaks, its node loses.";

/**
 * What the pack finds at a mandatory level in the manifests of others, by project and rule, and why it is
 * right to: as exemptions, so that a finding that is not here fails, and so does one that is no longer made.
 */
export const FINDINGS: Readonly<Record<string, StackPolicies>> = {
    "kube-prometheus": {
        permissions: right(
            "Every verb, which is deleting too, where a few would do.",
            { workload: "resource-metrics-server-resources" },
            { workload: "prometheus-operator" },
        ),
        "readiness-probe": right(
            "Its Service sends it scrapes before it listens, which then count as failed.",
            { workload: "blackbox-exporter", container: "blackbox-exporter" },
            { workload: "prometheus-operator", container: "prometheus-operator" },
            { container: "kube-rbac-proxy*" },
        ),
        "pod-security": {
            exempt: [
                ...right("No seccomp profile is set, neither of the container nor of its pod.", {
                    workload: "blackbox-exporter",
                }).exempt,
                ...right(
                    "It measures the node, from its namespaces: who wants that says so by an exemption.",
                    { workload: "node-exporter" },
                ).exempt,
            ],
        },
    },
    KEDA: {
        // Its operator makes it as it starts.
        references: { elsewhere: ["Secret/kedaorg-certs"] },
        permissions: right(
            "It scales whatever has replicas: whoever takes it over has every workload of the cluster.",
            { workload: "keda-operator" },
            { workload: "keda-external-metrics-reader" },
        ),
        "image-tag": right(
            "The kustomization has the branch that it is developed on; releases write their version there.",
            { workload: "keda-*" },
        ),
        "memory-limit": right(
            "Ten times the request: the scheduler is told of a tenth of what the three may take.",
            { workload: "keda-*" },
        ),
    },
    "metrics-server": {
        "memory-limit": right(NO_MEMORY_LIMIT, { workload: "metrics-server" }),
    },
    // Examples of its documentation, made to be short.
    Traefik: {
        "readiness-probe": right("Until it has its configuration it answers 404, to all clients.", {
            workload: "traefik",
        }),
        "resource-requests": right(NO_REQUESTS, { workload: "traefik" }, { workload: "whoami" }),
        "memory-limit": right(NO_MEMORY_LIMIT, { workload: "traefik" }, { workload: "whoami" }),
        "image-tag": right("It has no tag, which is the tag latest.", { workload: "whoami" }),
        "pod-security": right(
            "It has no securityContext at all: it may be root, with every default capability.",
            { workload: "traefik" },
            { workload: "whoami" },
        ),
        "service-account": right("It answers requests and has a token of the API server at hand.", {
            workload: "whoami",
        }),
        "disruption-budget": right("A drained node may take both of its pods at once.", {
            workload: "whoami",
        }),
    },
    "kube-state-metrics": {
        "resource-requests": right(NO_REQUESTS, { workload: "kube-state-metrics" }),
        "memory-limit": right(NO_MEMORY_LIMIT, { workload: "kube-state-metrics" }),
    },
    "Argo CD": {
        // An init container of the Redis that it comes with makes it.
        references: { elsewhere: ["Secret/argocd-redis"] },
        "stateful-service": right(
            "Its pods have no names of their own; they need none, since nobody asks them.",
            { workload: "argocd-application-controller" },
        ),
        "readiness-probe": right(
            "Its Service sends it webhooks and logins before it listens.",
            { workload: "argocd-applicationset-controller" },
            { workload: "argocd-dex-server" },
        ),
        "liveness-probe": right(
            "What takes it out of traffic also restarts it, all of its replicas at once.",
            { workload: "argocd-redis-ha-*" },
        ),
        "probe-timing": right(
            "It is noticed after 75 s or 90 s; three of its probes may take as long as their period.",
            { workload: "argocd-server" },
            { workload: "argocd-repo-server" },
            { workload: "argocd-redis-ha-server" },
        ),
        "probe-handler": right(
            "Each of its probes starts a shell and redis-cli, on a node that may be short of processor time.",
            { workload: "argocd-redis-ha-server" },
        ),
        "resource-requests": right(NO_REQUESTS, { workload: "argocd-*" }),
        "memory-limit": right(NO_MEMORY_LIMIT, { workload: "argocd-*" }),
        "disruption-budget": right(
            "The highly available variant lets a drain take a majority of its Redis, or all servers.",
            { workload: "argocd-redis-ha-server" },
            { workload: "argocd-redis-ha-haproxy" },
            { workload: "argocd-repo-server" },
            { workload: "argocd-server" },
        ),
    },
    descheduler: {
        "memory-limit": right(NO_MEMORY_LIMIT, { workload: "descheduler-cronjob" }),
        "pod-security": right(
            "No seccomp profile is set, neither of the container nor of its pod.",
            {
                workload: "descheduler-cronjob",
            },
        ),
    },
};

function right(reason: string, ...places: readonly Place[]) {
    return { exempt: places.map((place) => ({ ...place, reason, expires: "9999-12-31" })) };
}
