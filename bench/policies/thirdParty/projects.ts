/** A third-party project with well-made manifests, at a pinned version. */
export interface Project {
    readonly name: string;
    /** The Go module with the project's source, which includes its manifests. */
    readonly module: string;
    readonly version: string;
    /** Checksum of the module, as in go.sum. */
    readonly sum: string;
    /** Globs in the module; a kustomization.yaml is built. */
    readonly files: readonly string[];
}

export const PROJECTS: readonly Project[] = [
    {
        name: "kube-prometheus",
        module: "github.com/prometheus-operator/kube-prometheus",
        version: "v0.18.0",
        sum: "h1:NHWLvZ1soAeLRC5BICwlga2p2Y33ICK4FXc4nxQ65T0=",
        files: ["manifests/*.yaml"],
    },
    {
        name: "KEDA",
        module: "github.com/kedacore/keda/v2",
        version: "v2.20.2",
        sum: "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=",
        files: [
            "config/{general,manager,metrics-server,rbac,service_account,webhooks}/kustomization.yaml",
        ],
    },
    {
        name: "metrics-server",
        module: "sigs.k8s.io/metrics-server",
        version: "v0.9.0",
        sum: "h1:nlqqZ2H0Xfko8eJC/1qaNVVT17hu4rxndkOi22KTZ4w=",
        files: ["manifests/overlays/release/kustomization.yaml"],
    },
    {
        name: "Traefik",
        module: "github.com/traefik/traefik/v3",
        version: "v3.7.13",
        sum: "h1:T8wy9KuaFzCkmXCqAzDy7t73pBDR1DHrJe3pqXpNXTw=",
        files: [
            "docs/content/reference/dynamic-configuration/kubernetes-{gateway-rbac,gateway-simple-https,gateway-traefik-lb-svc,whoami-svc}.yml",
        ],
    },
    {
        name: "kube-state-metrics",
        module: "k8s.io/kube-state-metrics/v2",
        version: "v2.18.0",
        sum: "h1:3T0ydK17wNf+uYyxaTMg0vM0lyqWMAv8xDqZjheMdxk=",
        files: ["examples/standard/[!k]*.yaml"],
    },
    {
        name: "Argo CD",
        module: "github.com/argoproj/argo-cd/v3",
        version: "v3.5.7",
        sum: "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=",
        files: ["manifests/ha/namespace-install.yaml"],
    },
    {
        name: "descheduler",
        module: "sigs.k8s.io/descheduler",
        version: "v0.36.0",
        sum: "h1:fBemfJD1RhmbsdH94lKwGMOwQcbsrw67A5IK2c2fANA=",
        files: ["kubernetes/cronjob/kustomization.yaml"],
    },
];
