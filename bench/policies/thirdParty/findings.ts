import type { Exemption, StackPolicies } from "../../../policies/engine/config.ts";

type Place = Pick<Exemption, "namespace" | "workload" | "container">;

const NO_REQUESTS = "The installer must set them; without them, a full node evicts this pod first.";
const NO_MEMORY_LIMIT =
    "Its memory grows with the cluster and has no limit: a leak takes the memory of the node.";

/**
 * The mandatory violations in third-party manifests, by project and rule, and the reason why each is correct. They
 * are exemptions, so that a test fails both for an unlisted violation and for an unused exemption.
 */
export const FINDINGS: Readonly<Record<string, StackPolicies>> = {
    "kube-prometheus": {
        permissions: exemptions(
            "All verbs, including delete, where a few are enough.",
            { workload: "resource-metrics-server-resources" },
            { workload: "prometheus-operator" },
        ),
        "readiness-probe": exemptions(
            "Its Service sends scrapes before it listens, and these count as failed.",
            { workload: "blackbox-exporter", container: "blackbox-exporter" },
            { workload: "prometheus-operator", container: "prometheus-operator" },
            { container: "kube-rbac-proxy*" },
        ),
        "pod-security": {
            exempt: [
                ...exemptions("Neither the container nor its pod sets a seccomp profile.", {
                    workload: "blackbox-exporter",
                }).exempt,
                ...exemptions(
                    "It measures the node from the namespaces of the node, which requires an exemption.",
                    { workload: "node-exporter" },
                ).exempt,
            ],
        },
    },
    KEDA: {
        // The operator creates it when it starts.
        references: { external: ["Secret/kedaorg-certs"] },
        permissions: exemptions(
            "It scales anything with replicas: an attacker who takes it over controls every workload of the cluster.",
            { workload: "keda-operator" },
            { workload: "keda-external-metrics-reader" },
        ),
        "image-tag": exemptions(
            "The kustomization names the development branch; releases replace it by their version.",
            { workload: "keda-*" },
        ),
        "memory-limit": exemptions(
            "Ten times the request: the scheduler knows of a tenth of the memory that the three may use.",
            { workload: "keda-*" },
        ),
    },
    "metrics-server": {
        "memory-limit": exemptions(NO_MEMORY_LIMIT, { workload: "metrics-server" }),
    },
    // Examples of its documentation, kept short.
    Traefik: {
        "readiness-probe": exemptions(
            "It answers all clients with 404 until it has its configuration.",
            {
                workload: "traefik",
            },
        ),
        "resource-requests": exemptions(
            NO_REQUESTS,
            { workload: "traefik" },
            { workload: "whoami" },
        ),
        "memory-limit": exemptions(
            NO_MEMORY_LIMIT,
            { workload: "traefik" },
            { workload: "whoami" },
        ),
        "image-tag": exemptions("It has no tag, which means latest.", { workload: "whoami" }),
        "pod-security": exemptions(
            "It has no securityContext: it may run as root, with all default capabilities.",
            { workload: "traefik" },
            { workload: "whoami" },
        ),
        "service-account": exemptions("It serves requests and mounts a token of the API server.", {
            workload: "whoami",
        }),
        "disruption-budget": exemptions("A node drain may evict both of its pods at once.", {
            workload: "whoami",
        }),
    },
    "kube-state-metrics": {
        "resource-requests": exemptions(NO_REQUESTS, { workload: "kube-state-metrics" }),
        "memory-limit": exemptions(NO_MEMORY_LIMIT, { workload: "kube-state-metrics" }),
    },
    "Argo CD": {
        // An init container of its Redis creates it.
        references: { external: ["Secret/argocd-redis"] },
        "stateful-service": exemptions(
            "Its pods have no stable names; they need none, since no client connects to them.",
            { workload: "argocd-application-controller" },
        ),
        "readiness-probe": exemptions(
            "Its Service sends webhooks and logins before it listens.",
            { workload: "argocd-applicationset-controller" },
            { workload: "argocd-dex-server" },
        ),
        "liveness-probe": exemptions(
            "A failure that should only remove it from traffic restarts it, all replicas at once.",
            { workload: "argocd-redis-ha-*" },
        ),
        "probe-timing": exemptions(
            "Failures are detected after 75 s or 90 s; three probes may take as long as their period.",
            { workload: "argocd-server" },
            { workload: "argocd-repo-server" },
            { workload: "argocd-redis-ha-server" },
        ),
        "probe-handler": exemptions(
            "Each probe starts a shell and redis-cli, on a node that may be short of processor time.",
            { workload: "argocd-redis-ha-server" },
        ),
        "resource-requests": exemptions(NO_REQUESTS, { workload: "argocd-*" }),
        "memory-limit": exemptions(NO_MEMORY_LIMIT, { workload: "argocd-*" }),
        "disruption-budget": exemptions(
            "The highly available variant allows a drain to evict a majority of its Redis, or all servers.",
            { workload: "argocd-redis-ha-server" },
            { workload: "argocd-redis-ha-haproxy" },
            { workload: "argocd-repo-server" },
            { workload: "argocd-server" },
        ),
    },
    descheduler: {
        "memory-limit": exemptions(NO_MEMORY_LIMIT, { workload: "descheduler-cronjob" }),
        "pod-security": exemptions("Neither the container nor its pod sets a seccomp profile.", {
            workload: "descheduler-cronjob",
        }),
    },
};

function exemptions(reason: string, ...places: readonly Place[]) {
    return { exempt: places.map((place) => ({ ...place, reason, expires: "9999-12-31" })) };
}
