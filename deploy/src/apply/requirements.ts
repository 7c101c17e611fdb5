import type { KubernetesListObject, KubernetesObject } from "@kubernetes/client-node";
import { ClusterError, readIfExists, statusOf, type Cluster, type Manifest } from "./cluster.ts";

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
    keda: "install version 2.17 or newer (https://keda.sh), or set autoscaling.metric to none",
};

/** Kinds that are installed with what brings them. */
const BROUGHT: readonly Requirement[] = [
    {
        what: "KEDA",
        apiVersion: "keda.sh/v1alpha1",
        kind: "ScaledObject",
        how: HOW.keda,
    },
    {
        what: "KEDA's TriggerAuthentication",
        apiVersion: "keda.sh/v1alpha1",
        kind: "TriggerAuthentication",
        how: HOW.keda,
    },
    ...["PodMonitor", "PrometheusRule"].map((kind) => ({
        what: `the Prometheus Operator's ${kind}`,
        apiVersion: "monitoring.coreos.com/v1",
        kind,
        how: HOW.operator,
    })),
    {
        what: "Traefik's Middleware",
        apiVersion: "traefik.io/v1alpha1",
        kind: "Middleware",
        how: HOW.traefik,
    },
    {
        what: "Envoy Gateway's BackendTrafficPolicy",
        apiVersion: "gateway.envoyproxy.io/v1alpha1",
        kind: "BackendTrafficPolicy",
        how: HOW.envoyGateway,
    },
    {
        what: "Cilium's CiliumNetworkPolicy",
        apiVersion: "cilium.io/v2",
        kind: "CiliumNetworkPolicy",
        how: HOW.cilium,
    },
];

/**
 * Checks that the cluster has what the manifests use and do not bring, before any of them is written to it.
 *
 * @throws ClusterError with all that is missing and how to get it.
 */
export async function requireAll(cluster: Cluster, manifests: readonly Manifest[]): Promise<void> {
    const requirements = requirementsOf(manifests);
    const met = await Promise.all(requirements.map((requirement) => isMet(cluster, requirement)));
    const missing = requirements.filter((_, index) => met[index] === false);
    if (missing.length === 0) return;
    throw new ClusterError(
        `cluster ${cluster.context} lacks what the stack uses:\n` +
            missing.map(({ what, how }) => `  - ${what}: ${how}`).join("\n"),
    );
}

/** What manifests use and do not bring, each once. */
export function requirementsOf(manifests: readonly Manifest[]): Requirement[] {
    const all = manifests.flatMap((manifest): Requirement[] => {
        if (isGateway(manifest)) return gatewayRequirements(manifest);
        if (isForeignCertificate(manifest, manifests)) return [CERT_MANAGER];
        const brought = BROUGHT.filter(({ kind }) => kind === manifest.kind);
        if (brought.length > 0) return brought;
        return isStatefulSet(manifest) ? volumeRequirements(manifest) : [];
    });
    return [...new Map(all.map((requirement) => [requirement.what, requirement])).values()];
}

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

function volumeRequirements({ spec }: StatefulSet): Requirement[] {
    return (spec.volumeClaimTemplates ?? []).map(({ spec: { storageClassName: name } }) =>
        name === undefined
            ? { what: "a default StorageClass", ...STORAGE, how: HOW.defaultClass }
            : { what: `StorageClass ${name}`, ...STORAGE, name, how: HOW.storageClass },
    );
}

async function isMet(cluster: Cluster, requirement: Requirement): Promise<boolean> {
    const { apiVersion, kind, name } = requirement;
    if (!(await isServed(cluster, apiVersion, kind))) return false;
    if (name !== undefined) {
        return (await readIfExists(cluster, { apiVersion, kind, name })) !== undefined;
    }
    return kind !== STORAGE.kind || hasDefault(await list(cluster, apiVersion, kind));
}

async function isServed(cluster: Cluster, apiVersion: string, kind: string): Promise<boolean> {
    try {
        await list(cluster, apiVersion, kind);
        return true;
    } catch (error) {
        // The client finds a group missing by its discovery (404), and a kind missing in what it found.
        const unknown = error instanceof Error && error.message.startsWith("Unrecognized API");
        if (unknown || statusOf(error) === 404) return false;
        throw error;
    }
}

function list(cluster: Cluster, apiVersion: string, kind: string) {
    return cluster.objects.list(apiVersion, kind);
}

export function hasDefault({ items }: KubernetesListObject<KubernetesObject>): boolean {
    return items.some(({ metadata }) => metadata?.annotations?.[DEFAULT_CLASS] === "true");
}

const CERT_MANAGER: Requirement = {
    what: "cert-manager",
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    how: HOW.certManager,
};

/** A certificate whose kind the stack does not bring itself. */
function isForeignCertificate({ kind }: Manifest, manifests: readonly Manifest[]): boolean {
    const brings = manifests.some(
        ({ metadata }) => metadata.name === "certificates.cert-manager.io",
    );
    return kind === CERT_MANAGER.kind && !brings;
}

function isGateway(manifest: Manifest): manifest is Gateway {
    return manifest.kind === "Gateway" && manifest.apiVersion === GATEWAY_API;
}

function isStatefulSet(manifest: Manifest): manifest is StatefulSet {
    return manifest.kind === "StatefulSet";
}
