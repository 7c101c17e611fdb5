import type { KubernetesListObject, KubernetesObject } from "@kubernetes/client-node";
import { ClusterError, readIfExists, type Cluster, type Manifest } from "./cluster.ts";
import { entryPointProblems } from "./entryPoints.ts";

/** Something that a stack uses and does not bring: whoever runs the cluster installs it. */
export interface Requirement {
    /** For people: `GatewayClass traefik`. */
    readonly what: string;
    readonly apiVersion: string;
    readonly kind: string;
    /** One object; absent: the API itself. */
    readonly name?: string;
    readonly how: string;
}

interface Gateway extends Manifest {
    spec: { gatewayClassName: string };
}

interface StatefulSet extends Manifest {
    spec: { volumeClaimTemplates?: { spec: { storageClassName?: string } }[] };
}

const GATEWAY_API = "gateway.networking.k8s.io/v1";
const STORAGE = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" };
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";
const HOW = {
    gatewayApi:
        "install its definitions, version 1.5 or newer: https://gateway-api.sigs.k8s.io/guides/",
    gatewayClass: "install a gateway that serves it, or set edge.gatewayClassName to one of yours",
    storageClass:
        "set redis.storageClass and monitoring.storageClass to one of yours (kubectl get storageclass)",
    defaultClass:
        "set redis.storageClass and monitoring.storageClass, or mark one of yours as the default",
    traefik:
        "install Traefik's definitions of its own version and switch its provider kubernetesCRD on, " +
        "or set edge.retryFilter to what your gateway has, or to none",
    envoyGateway:
        "install Envoy Gateway 1.8 or newer, or set edge.retryFilter to what your gateway has, or to none",
    operator: "install the Prometheus Operator's definitions, or set prometheus.source to stack",
    cilium: "set edge.controller to the gateway that the cluster has",
    certManager:
        "install version 1.15 or newer with its Gateway API switched on, or set certificates.certManager to install",
    kubernetes:
        "switch that API on (kube-apiserver --runtime-config), or what uses it off in the stack's config",
    keda: "install version 2.17 or newer (https://keda.sh), or set autoscaling.metric to none",
};

/** Groups of kinds that are installed with what brings them; all others are the server's own. */
const GROUPS: Readonly<Record<string, Pick<Requirement, "what" | "how">>> = {
    "keda.sh": { what: "KEDA", how: HOW.keda },
    "traefik.io": { what: "Traefik's Middleware", how: HOW.traefik },
    "gateway.envoyproxy.io": {
        what: "Envoy Gateway's BackendTrafficPolicy",
        how: HOW.envoyGateway,
    },
    "cilium.io": { what: "Cilium's CiliumNetworkPolicy", how: HOW.cilium },
    "cert-manager.io": { what: "cert-manager", how: HOW.certManager },
    "monitoring.coreos.com": { what: "the Prometheus Operator", how: HOW.operator },
    "gateway.networking.k8s.io": { what: "the Gateway API", how: HOW.gatewayApi },
};

/** The oldest minor of Kubernetes 1: the first that serves ValidatingAdmissionPolicy and all fields in use. */
const OLDEST_MINOR = 31;

/**
 * Checks that the cluster has what the manifests use and do not bring, before any of them is written to it.
 *
 * @param left types of what only Pulumi's engine can make, which comes with the stack.
 * @throws ClusterError with all that is missing and how to get it.
 */
export async function requireAll(
    cluster: Cluster,
    manifests: readonly Manifest[],
    left: readonly string[] = [],
): Promise<void> {
    const brings = left.some((type) => type.startsWith("kubernetes-cert-manager:"));
    const requirements = requirementsOf(manifests).filter(
        ({ apiVersion }) => !(brings && groupOf(apiVersion) === "cert-manager.io"),
    );
    const met = await Promise.all(requirements.map((requirement) => isMet(cluster, requirement)));
    const missing = requirements.filter((_, index) => met[index] === false);
    const problems = [
        ...(await versionProblems(cluster)),
        // Several kinds come with one installation.
        ...new Set(missing.map(({ what, how }) => `${what}: ${how}`)),
        ...(await entryPointProblems(cluster, manifests)),
    ];
    if (problems.length === 0) return;
    throw new ClusterError(
        `cluster ${cluster.context} lacks what the stack uses:\n` +
            problems.map((problem) => `  - ${problem}`).join("\n"),
    );
}

async function versionProblems(cluster: Cluster): Promise<string[]> {
    const { major, minor } = await cluster.objects.get<{ major: string; minor: string }>(
        "/version",
    );
    // Managed clusters write such as 33+.
    const number = Number.parseInt(minor, 10);
    if (Number(major) > 1 || number >= OLDEST_MINOR) return [];
    return [`Kubernetes 1.${OLDEST_MINOR} or newer: the cluster has ${major}.${minor}; upgrade it`];
}

/** What manifests use and do not bring, each once. */
export function requirementsOf(manifests: readonly Manifest[]): Requirement[] {
    const brought = new Set(manifests.flatMap(definedBy));
    const all = manifests.flatMap((manifest): Requirement[] => [
        ...(brought.has(kindOf(manifest)) ? [] : kindRequirement(manifest)),
        ...(isGateway(manifest) ? gatewayRequirements(manifest) : []),
        ...(isStatefulSet(manifest) ? volumeRequirements(manifest) : []),
        ...priorityRequirements(manifest),
    ]);
    const keyed = all.map((one) => [`${one.what} ${one.kind}`, one] as const);
    return [...new Map(keyed).values()];
}

/** That a kind is served at all; the server's oldest kinds are not asked for. */
function kindRequirement({ apiVersion, kind }: Manifest): Requirement[] {
    const group = groupOf(apiVersion);
    const brought = GROUPS[group];
    if (kind === "Gateway") return [];
    if (brought && group !== "gateway.networking.k8s.io") return [{ apiVersion, kind, ...brought }];
    if (!brought && OLD_GROUPS.includes(group)) return [];
    const how = brought?.how ?? HOW.kubernetes;
    return [{ what: `${apiVersion} ${kind}`, apiVersion, kind, how }];
}

function groupOf(apiVersion: string): string {
    return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

/** Groups whose kinds every cluster of the oldest allowed version serves. */
const OLD_GROUPS = [
    "",
    "apps",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
];

function gatewayRequirements({ spec }: Gateway): Requirement[] {
    const kind = "GatewayClass";
    const name = spec.gatewayClassName;
    return [
        { what: "the Gateway API", apiVersion: GATEWAY_API, kind, how: HOW.gatewayApi },
        {
            what: `${kind} ${name}`,
            apiVersion: GATEWAY_API,
            kind,
            name,
            how: HOW.gatewayClass,
        },
    ];
}

/** The PriorityClass that the pods of a workload name; undefined where there is none. */
function priorityClassOf(manifest: Manifest): string | undefined {
    const { spec } = manifest as Manifest & { spec?: Workload };
    const template = spec?.template ?? spec?.jobTemplate?.spec?.template;
    return template?.spec?.priorityClassName;
}

interface Workload {
    template?: { spec?: { priorityClassName?: string } };
    jobTemplate?: { spec?: { template?: { spec?: { priorityClassName?: string } } } };
}

function priorityRequirements(manifest: Manifest): Requirement[] {
    const name = priorityClassOf(manifest);
    if (name === undefined) return [];
    const kind = "PriorityClass";
    const how = "set workloads.priorityClassName to one of yours (kubectl get priorityclass)";
    return [{ what: `${kind} ${name}`, apiVersion: "scheduling.k8s.io/v1", kind, name, how }];
}

function volumeRequirements({ spec }: StatefulSet): Requirement[] {
    return (spec.volumeClaimTemplates ?? []).map(({ spec: { storageClassName: name } }) =>
        name === undefined
            ? { what: "a default StorageClass", ...STORAGE, how: HOW.defaultClass }
            : { what: `StorageClass ${name}`, ...STORAGE, name, how: HOW.storageClass },
    );
}

async function isMet(cluster: Cluster, requirement: Requirement): Promise<boolean> {
    const { apiVersion, kind, name } = requirement;
    if (!(await cluster.objects.isServed(apiVersion, kind))) return false;
    if (name !== undefined) {
        return (await readIfExists(cluster, { apiVersion, kind, name })) !== undefined;
    }
    return kind !== STORAGE.kind || hasDefault(await list(cluster, apiVersion, kind));
}

function list(cluster: Cluster, apiVersion: string, kind: string) {
    return cluster.objects.list(apiVersion, kind);
}

export function hasDefault({ items }: KubernetesListObject<KubernetesObject>): boolean {
    return items.some(({ metadata }) => metadata?.annotations?.[DEFAULT_CLASS] === "true");
}

interface Definition extends Manifest {
    spec: { group: string; names: { kind: string } };
}

/** The kind that a definition among the manifests brings. */
function definedBy(manifest: Manifest): string[] {
    if (manifest.kind !== "CustomResourceDefinition") return [];
    const { group, names } = (manifest as Definition).spec;
    return [`${group}/${names.kind}`];
}

function kindOf({ apiVersion, kind }: Manifest): string {
    return `${groupOf(apiVersion)}/${kind}`;
}

function isGateway(manifest: Manifest): manifest is Gateway {
    return manifest.kind === "Gateway" && manifest.apiVersion === GATEWAY_API;
}

function isStatefulSet(manifest: Manifest): manifest is StatefulSet {
    return manifest.kind === "StatefulSet";
}
