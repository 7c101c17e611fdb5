import type { KubernetesListObject, KubernetesObject } from "@kubernetes/client-node";
import { ClusterError, readIfExists, type Cluster, type Manifest } from "../../cluster/connect.ts";
import { entryPointProblems } from "./entryPoints.ts";
import { findClassProblem } from "./gatewayClasses.ts";
import { groupOf, isRetryUnsupported, findOutdatedDefinitions } from "./definitionVersions.ts";

/** A prerequisite that the cluster has to provide. */
export interface Requirement {
    /** For messages: `GatewayClass traefik`. */
    readonly title: string;
    readonly apiVersion: string;
    readonly kind: string;
    /** Name of a required object; absent: the API itself. */
    readonly name?: string;
    readonly remedy: string;
}

interface Gateway extends Manifest {
    spec: { gatewayClassName: string };
}

interface StatefulSet extends Manifest {
    spec: { volumeClaimTemplates?: { spec: { storageClassName?: string } }[] };
}

const GATEWAY_API = "gateway.networking.k8s.io/v1";
const STORAGE = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" };
const CONSTRAINTS = { apiVersion: "security.openshift.io/v1", kind: "SecurityContextConstraints" };
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";
const REMEDIES = {
    gatewayApi:
        "install its definitions, version 1.5 or newer: https://gateway-api.sigs.k8s.io/guides/",
    gatewayClass:
        "install a gateway that serves it, or set edge.gatewayClassName to an existing class",
    storageClass:
        "set redis.storageClass and monitoring.storageClass to an existing class (kubectl get storageclass)",
    defaultClass:
        "set redis.storageClass and monitoring.storageClass, or mark a class as the default",
    traefik:
        "install Traefik's definitions of its own version and enable its provider kubernetesCRD, " +
        "or set edge.retryFilter to a filter of your gateway, or to none",
    envoyGateway:
        "install Envoy Gateway 1.8 or newer, or set edge.retryFilter to a filter of your gateway, or to none",
    retry: "install the Gateway API's experimental channel, or set edge.retryFilter to another value or none",
    operator: "install the Prometheus Operator's definitions, or set prometheus.source to stack",
    gke: "enable GKE's Gateway API (gcloud container clusters update --gateway-api=standard)",
    cilium: "set edge.controller to the cluster's gateway",
    certManager:
        "install version 1.15 or newer with Gateway API support enabled, or set certificates.certManager to install",
    kubernetes:
        "enable that API (kube-apiserver --runtime-config), or disable the feature that uses it in the stack's config",
    openShift:
        "set workloads.fixedIds to false, since OpenShift's security context constraints reject fixed ids",
    keda: "install version 2.17 or newer (https://keda.sh), or set autoscaling.metric to none",
};

/** Groups of kinds that controllers provide; all other groups are built in. */
const PROVIDED_BY_CONTROLLERS: Readonly<Record<string, Pick<Requirement, "title" | "remedy">>> = {
    "keda.sh": { title: "KEDA", remedy: REMEDIES.keda },
    "traefik.io": { title: "Traefik's Middleware", remedy: REMEDIES.traefik },
    "gateway.envoyproxy.io": {
        title: "Envoy Gateway's BackendTrafficPolicy",
        remedy: REMEDIES.envoyGateway,
    },
    "cilium.io": { title: "Cilium's CiliumNetworkPolicy", remedy: REMEDIES.cilium },
    "networking.gke.io": { title: "GKE's HealthCheckPolicy", remedy: REMEDIES.gke },
    "cert-manager.io": { title: "cert-manager", remedy: REMEDIES.certManager },
    "monitoring.coreos.com": { title: "the Prometheus Operator", remedy: REMEDIES.operator },
    "gateway.networking.k8s.io": { title: "the Gateway API", remedy: REMEDIES.gatewayApi },
};

/** Minimum minor version of Kubernetes 1: the first with ValidatingAdmissionPolicy and all used fields. */
const OLDEST_MINOR = 31;

/**
 * Checks that the cluster provides everything that the manifests need and do not define, before any of them is written.
 *
 * @param notRendered types that only Pulumi's engine can create and that come with the stack
 * @throws ClusterError with all missing prerequisites and their remedies
 */
export async function checkRequirements(
    cluster: Cluster,
    manifests: readonly Manifest[],
    notRendered: readonly string[] = [],
): Promise<void> {
    const installsCertManager = notRendered.some((type) =>
        type.startsWith("kubernetes-cert-manager:"),
    );
    const requirements = requirementsOf(manifests).filter(
        ({ apiVersion }) => !(installsCertManager && groupOf(apiVersion) === "cert-manager.io"),
    );
    const unmet = await Promise.all(
        requirements.map(async (requirement) => {
            const problem = await problemOf(cluster, requirement);
            const { title, remedy } = requirement;
            return problem === undefined ? [] : `${title}: ${problem}${remedy}`;
        }),
    );
    const groups = requirements.map(({ apiVersion }) => groupOf(apiVersion));
    const problems = [
        ...(await versionProblems(cluster)),
        // One installation provides several kinds.
        ...new Set(unmet.flat()),
        ...(await findOutdatedDefinitions(cluster, groups)).map(
            ({ group, words }) =>
                `${PROVIDED_BY_CONTROLLERS[group]?.title ?? group}: ${words}; ${PROVIDED_BY_CONTROLLERS[group]?.remedy ?? ""}`,
        ),
        ...(await entryPointProblems(cluster, manifests)),
        ...(await idProblems(cluster, manifests)),
        ...((await isRetryUnsupported(cluster, manifests))
            ? [`HTTPRoute's retry: ${REMEDIES.retry}`]
            : []),
    ];
    if (problems.length === 0) return;
    throw new ClusterError(
        `cluster ${cluster.context} lacks prerequisites of the stack:\n` +
            problems.map((problem) => `  - ${problem}`).join("\n"),
    );
}

async function versionProblems(cluster: Cluster): Promise<string[]> {
    const { major, minor } = await cluster.objects.get<{ major: string; minor: string }>(
        "/version",
    );
    // Managed clusters report versions such as 33+.
    const number = Number.parseInt(minor, 10);
    if (Number(major) > 1 || number >= OLDEST_MINOR) return [];
    return [`Kubernetes 1.${OLDEST_MINOR} or newer: the cluster has ${major}.${minor}; upgrade it`];
}

/** OpenShift assigns ids to each namespace and rejects pods with other ids. */
async function idProblems(cluster: Cluster, manifests: readonly Manifest[]): Promise<string[]> {
    const named = manifests.filter((one) => podSpecOf(one)?.securityContext?.runAsUser);
    if (named.length === 0) return [];
    const { apiVersion, kind } = CONSTRAINTS;
    if (!(await cluster.objects.isServed(apiVersion, kind))) return [];
    return [`pods without fixed ids: ${REMEDIES.openShift}`];
}

/** Prerequisites that the manifests do not define, without duplicates. */
export function requirementsOf(manifests: readonly Manifest[]): Requirement[] {
    const brought = new Set(manifests.flatMap(kindsDefinedBy));
    const all = manifests.flatMap((manifest): Requirement[] => [
        ...(brought.has(kindOf(manifest)) ? [] : kindRequirement(manifest)),
        ...(isGateway(manifest) ? gatewayRequirements(manifest) : []),
        ...(isStatefulSet(manifest) ? volumeRequirements(manifest) : []),
        ...priorityRequirements(manifest),
    ]);
    const keyed = all.map((one) => [`${one.title} ${one.kind}`, one] as const);
    return [...new Map(keyed).values()];
}

/** Requires that a kind is served; built-in kinds are not checked. */
function kindRequirement({ apiVersion, kind }: Manifest): Requirement[] {
    const group = groupOf(apiVersion);
    const brought = PROVIDED_BY_CONTROLLERS[group];
    if (kind === "Gateway") return [];
    if (brought && group !== "gateway.networking.k8s.io") return [{ apiVersion, kind, ...brought }];
    if (!brought && BUILT_IN_GROUPS.includes(group)) return [];
    const remedy = brought?.remedy ?? REMEDIES.kubernetes;
    return [{ title: `${apiVersion} ${kind}`, apiVersion, kind, remedy }];
}

/** Groups that every cluster of the minimum version serves. */
const BUILT_IN_GROUPS = [
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
        { title: "the Gateway API", apiVersion: GATEWAY_API, kind, remedy: REMEDIES.gatewayApi },
        {
            title: `${kind} ${name}`,
            apiVersion: GATEWAY_API,
            kind,
            name,
            remedy: REMEDIES.gatewayClass,
        },
    ];
}

/** Pod spec of a workload; undefined for other kinds. */
function podSpecOf(manifest: Manifest): PodSpec | undefined {
    const { spec } = manifest as Manifest & { spec?: Workload };
    const template = spec?.template ?? spec?.jobTemplate?.spec?.template;
    return template?.spec;
}

interface PodSpec {
    priorityClassName?: string;
    securityContext?: { runAsUser?: number };
}

interface Workload {
    template?: { spec?: PodSpec };
    jobTemplate?: { spec?: { template?: { spec?: PodSpec } } };
}

function priorityRequirements(manifest: Manifest): Requirement[] {
    const name = podSpecOf(manifest)?.priorityClassName;
    if (name === undefined) return [];
    const kind = "PriorityClass";
    const remedy =
        "set workloads.priorityClassName to an existing class (kubectl get priorityclass)";
    return [{ title: `${kind} ${name}`, apiVersion: "scheduling.k8s.io/v1", kind, name, remedy }];
}

function volumeRequirements({ spec }: StatefulSet): Requirement[] {
    return (spec.volumeClaimTemplates ?? []).map(({ spec: { storageClassName: name } }) =>
        name === undefined
            ? { title: "a default StorageClass", ...STORAGE, remedy: REMEDIES.defaultClass }
            : { title: `StorageClass ${name}`, ...STORAGE, name, remedy: REMEDIES.storageClass },
    );
}

/** Problem without a description: the object does not exist. */
const MISSING = "";

/** Description that precedes the remedy; undefined if the cluster meets the requirement. */
async function problemOf(
    cluster: Cluster,
    { apiVersion, kind, name }: Requirement,
): Promise<string | undefined> {
    if (!(await cluster.objects.isServed(apiVersion, kind))) return MISSING;
    if (name !== undefined) {
        const found = await readIfExists(cluster, { apiVersion, kind, name });
        if (!found) return MISSING;
        const words =
            kind === "GatewayClass" ? await findClassProblem(cluster, apiVersion, name) : undefined;
        return words === undefined ? undefined : `${words}; `;
    }
    const isUsable =
        kind !== STORAGE.kind || hasDefaultClass(await list(cluster, apiVersion, kind));
    return isUsable ? undefined : MISSING;
}

function list(cluster: Cluster, apiVersion: string, kind: string) {
    return cluster.objects.list(apiVersion, kind);
}

export function hasDefaultClass({ items }: KubernetesListObject<KubernetesObject>): boolean {
    return items.some(({ metadata }) => metadata?.annotations?.[DEFAULT_CLASS] === "true");
}

interface Definition extends Manifest {
    spec: { group: string; names: { kind: string } };
}

/** The kind that a CustomResourceDefinition among the manifests defines. */
function kindsDefinedBy(manifest: Manifest): string[] {
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
