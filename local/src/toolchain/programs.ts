import { listBinaries, buildFolder, type GoBuild, type GoProgram } from "./go.ts";
import { KEDA_MODULE, trimmedKeda } from "./keda.ts";

const VERSION = "k8s.io/component-base/version";

/** Programs of the cluster and the part of `make up` that waits for them: a program is one row. */
const CLUSTER: readonly (GoProgram & { readonly phase: "serving" | "completing" })[] = [
    { name: "pause", phase: "serving" },
    { name: "etcd", phase: "serving" },
    { name: "coredns", phase: "serving" },
    {
        name: "kubernetes",
        phase: "serving",
        links: [
            "kube-apiserver",
            "kube-controller-manager",
            "kube-proxy",
            "kube-scheduler",
            "kubeadm",
            "kubectl",
            "kubelet",
        ],
    },
    // Enforces NetworkPolicies.
    { name: "kube-router", phase: "serving" },
    { name: "metrics-server", phase: "completing" },
    { name: "kube-state-metrics", phase: "completing" },
    { name: "keda", phase: "completing", package: `${KEDA_MODULE}/cmd/operator` },
    { name: "keda-adapter", phase: "completing", package: `${KEDA_MODULE}/cmd/adapter` },
];

/** The linker sets a variable only in the programs that have it. */
const CLUSTER_VARIABLES = {
    [`${VERSION}.gitVersion`]: "v1.34.4",
    [`${VERSION}.gitMajor`]: "1",
    [`${VERSION}.gitMinor`]: "34",
    [`${KEDA_MODULE}/version.Version`]: "2.20.2",
};

/** Programs that a cluster needs to answer requests. */
export const SERVING: GoBuild = clusterBuild("serving");
/** Programs that watch and scale. */
export const COMPLETING: GoBuild = { ...clusterBuild("completing"), replace: trimmedKeda };

/**
 * The Pulumi CLI for tests, where PATH has none. Official ones come with language hosts; go.sum pins the
 * modules of this one.
 */
export const PULUMI: GoBuild = {
    name: "pulumi",
    module: "pulumi",
    programs: [{ name: "pulumi", package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" }],
    variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.248.0" },
};
export const CERT_MANAGER_MODULE = "github.com/cert-manager/cert-manager";
/** For tests of certificates. It needs a newer minor of Kubernetes than the cluster's module graph has. */
export const CERT_MANAGER: GoBuild = {
    name: "cert-manager-tools",
    module: "cert-manager",
    programs: [
        {
            name: "cert-manager",
            links: [
                "cert-manager-acmesolver",
                "cert-manager-cainjector",
                "cert-manager-controller",
                "cert-manager-webhook",
            ],
        },
    ],
};
export const HELM = toolBuild("helm", "helm.sh/helm/v3/cmd/helm");
/** An ACME server. */
export const PEBBLE = toolBuild("pebble", "github.com/letsencrypt/pebble/v2/cmd/pebble");
/** The linter of GitHub's workflows, for tests. */
export const ACTIONLINT = toolBuild("actionlint", "github.com/rhysd/actionlint/cmd/actionlint");

/** Makes clusters of containers. */
export const KIND = toolBuild("kind", "sigs.k8s.io/kind");

/** Folder with kubectl, kubelet and Kubernetes' other names. @throws LocalError when it has not been built. */
export async function kubernetesFolder(): Promise<string> {
    return (await listBinaries(await buildFolder(SERVING))).kubernetes ?? "";
}

/** One program of a module of its own, pinned by a folder of the program's name. */
function toolBuild(name: string, from: string): GoBuild {
    return { name, module: name, programs: [{ name, package: from }] };
}

function clusterBuild(wanted: "serving" | "completing"): GoBuild {
    return {
        name: `cluster-${wanted}`,
        // One module graph for both builds: a package that both need is compiled once.
        module: "cluster",
        programs: CLUSTER.filter(({ phase }) => phase === wanted),
        variables: CLUSTER_VARIABLES,
    };
}
