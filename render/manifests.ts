import { Secret, type Registration } from "./program.ts";
import { MASK } from "../config/reader.ts";

/** A Kubernetes object as `kubectl apply --server-side` takes it. */
export interface Manifest {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: Metadata;
    readonly [field: string]: unknown;
}

export interface Metadata {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
}

/** What must exist before what. Kinds that are not named come last. */
const ORDER = [
    ["Namespace", "CustomResourceDefinition"],
    ["ResourceQuota", "LimitRange", "NetworkPolicy"],
    ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
    ["ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"],
    ["Secret"],
    ["ConfigMap", "PersistentVolumeClaim"],
    ["Service"],
    ["PodDisruptionBudget"],
    ["StatefulSet"],
    ["Job", "CronJob"],
    ["Deployment", "DaemonSet"],
    ["HorizontalPodAutoscaler"],
    ["Gateway", "ReferenceGrant"],
    ["HTTPRoute"],
    // Their webhook has to answer.
    ["Issuer"],
    ["Certificate"],
];

const OF_NO_NAMESPACE = [
    "Namespace",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];

/** Whether a document of a rendered chart is an object: some are empty. */
export function isManifest(value: unknown): value is Manifest {
    return typeof value === "object" && value !== null && "kind" in value && "metadata" in value;
}

/** Whether a registration is one Kubernetes object: components and charts are not. */
export function isKubernetesObject({ type, inputs }: Registration): boolean {
    return type.startsWith("kubernetes:") && "kind" in inputs && "metadata" in inputs;
}

/**
 * The Kubernetes objects among what a program declared, in an order in which they can be applied that is
 * the same each time.
 *
 * @param showSecrets false: everything in a Secret, and every secret elsewhere, is masked.
 * @throws Error for an object without a name, or without a namespace though its kind has one.
 */
export function toManifests(
    registrations: readonly Registration[],
    showSecrets: boolean,
): Manifest[] {
    return registrations
        .filter(isKubernetesObject)
        .map((registration) => toManifest(registration, showSecrets))
        .sort(compareManifests);
}

/** Orders objects as they can be applied. */
export function compareManifests(one: Manifest, other: Manifest): number {
    return sortKey(one) < sortKey(other) ? -1 : 1;
}

function toManifest({ urn, inputs }: Registration, showSecrets: boolean): Manifest {
    const masked = !showSecrets && inputs.kind === "Secret";
    const opened = unwrapSecret(inputs, showSecrets || masked) as Manifest;
    const { apiVersion, kind, metadata, ...rest } = masked
        ? maskValues(opened)
        : encodeValues(opened);
    if (!metadata.name)
        throw new Error(`${urn} has no name, which only Pulumi's engine can generate`);
    if (!metadata.namespace && !OF_NO_NAMESPACE.includes(kind))
        throw new Error(`${urn} has no namespace`);
    return { apiVersion, kind, metadata: removeHints(metadata), ...rest };
}

/** Annotations for Pulumi's Kubernetes provider mean nothing on a cluster. */
function removeHints({ annotations, ...metadata }: Metadata): Metadata {
    const kept = Object.entries(annotations ?? {}).filter(
        ([key]) => !key.startsWith("pulumi.com/"),
    );
    return kept.length > 0 ? { ...metadata, annotations: Object.fromEntries(kept) } : metadata;
}

/** Masks the values of a Secret but keeps its keys. */
function maskValues(secret: Manifest): Manifest {
    const masked = ["data", "stringData"]
        .filter((field) => field in secret)
        .map((field) => {
            const keys = Object.keys(secret[field] as object);
            return [field, Object.fromEntries(keys.map((key) => [key, MASK]))];
        });
    return { ...secret, ...(Object.fromEntries(masked) as object) };
}

/**
 * Converts a Secret to `data` alone. Server-side apply tracks the owner of a `stringData` key, but not that it
 * is also a `data` key: a key that was removed from the program would stay on the cluster.
 */
function encodeValues(manifest: Manifest): Manifest {
    if (manifest.kind !== "Secret") return manifest;
    const { stringData, data, ...rest } = manifest;
    const encodedData = Object.entries((stringData ?? {}) as Record<string, string>).map(
        ([key, value]) => [key, Buffer.from(value).toString("base64")],
    );
    return { ...rest, data: { ...(data as object), ...Object.fromEntries(encodedData) } };
}

function unwrapSecret(value: unknown, showSecrets: boolean): unknown {
    if (value instanceof Secret) return showSecrets ? unwrapSecret(value.value, true) : MASK;
    if (Array.isArray(value)) return value.map((item) => unwrapSecret(item, showSecrets));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
        Object.entries(value).map(([key, field]) => [key, unwrapSecret(field, showSecrets)]),
    );
}

function sortKey({ kind, metadata }: Manifest): string {
    const rank = ORDER.findIndex((kinds) => kinds.includes(kind));
    const order = String(rank < 0 ? ORDER.length : rank).padStart(2, "0");
    return [order, kind, metadata.namespace ?? "", metadata.name].join(" ");
}
