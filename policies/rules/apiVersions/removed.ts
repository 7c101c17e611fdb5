/*
 * API versions that Kubernetes no longer serves
 * (https://kubernetes.io/docs/reference/using-api/deprecation-guide/).
 */

/** First minor version of Kubernetes 1 without the API version, and the replacement. */
export interface Removal {
    readonly minor: number;
    readonly replacement: string;
}

const row = (minor: number, replacement: string, kinds = "*") =>
    kinds.split(" ").map((kind) => [kind, { minor, replacement }] as const);

/** By apiVersion, then by kind; `*` stands for every other kind. */
const REMOVED: Readonly<Record<string, Readonly<Record<string, Removal>>>> = Object.fromEntries(
    Object.entries({
        "extensions/v1beta1": [
            ...row(22, "networking.k8s.io/v1", "Ingress"),
            ...row(16, "networking.k8s.io/v1", "NetworkPolicy"),
            ...row(16, "nothing; Pod Security admission", "PodSecurityPolicy"),
            ...row(16, "apps/v1"),
        ],
        "apps/v1beta1": row(16, "apps/v1"),
        "apps/v1beta2": row(16, "apps/v1"),
        "admissionregistration.k8s.io/v1beta1": row(
            22,
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration MutatingWebhookConfiguration",
        ),
        "apiextensions.k8s.io/v1beta1": row(22, "apiextensions.k8s.io/v1"),
        "apiregistration.k8s.io/v1beta1": row(22, "apiregistration.k8s.io/v1"),
        "authentication.k8s.io/v1beta1": row(22, "authentication.k8s.io/v1", "TokenReview"),
        "authorization.k8s.io/v1beta1": row(22, "authorization.k8s.io/v1"),
        "autoscaling/v2beta1": row(25, "autoscaling/v2"),
        "autoscaling/v2beta2": row(26, "autoscaling/v2"),
        "batch/v1beta1": row(25, "batch/v1"),
        "certificates.k8s.io/v1beta1": row(
            22,
            "certificates.k8s.io/v1",
            "CertificateSigningRequest",
        ),
        "coordination.k8s.io/v1beta1": row(22, "coordination.k8s.io/v1", "Lease"),
        "discovery.k8s.io/v1beta1": row(25, "discovery.k8s.io/v1"),
        "events.k8s.io/v1beta1": row(25, "events.k8s.io/v1"),
        "flowcontrol.apiserver.k8s.io/v1beta1": row(26, "flowcontrol.apiserver.k8s.io/v1"),
        "flowcontrol.apiserver.k8s.io/v1beta2": row(29, "flowcontrol.apiserver.k8s.io/v1"),
        "flowcontrol.apiserver.k8s.io/v1beta3": row(32, "flowcontrol.apiserver.k8s.io/v1"),
        "networking.k8s.io/v1beta1": row(22, "networking.k8s.io/v1", "Ingress IngressClass"),
        "node.k8s.io/v1beta1": row(25, "node.k8s.io/v1"),
        "policy/v1beta1": [
            ...row(25, "policy/v1", "PodDisruptionBudget"),
            ...row(25, "nothing; Pod Security admission", "PodSecurityPolicy"),
        ],
        "rbac.authorization.k8s.io/v1beta1": row(22, "rbac.authorization.k8s.io/v1"),
        "rbac.authorization.k8s.io/v1alpha1": row(22, "rbac.authorization.k8s.io/v1"),
        "scheduling.k8s.io/v1beta1": row(22, "scheduling.k8s.io/v1"),
        "storage.k8s.io/v1beta1": [
            ...row(22, "storage.k8s.io/v1", "CSIDriver CSINode StorageClass VolumeAttachment"),
            ...row(27, "storage.k8s.io/v1", "CSIStorageCapacity"),
        ],
    }).map(([version, rows]) => [version, Object.fromEntries(rows)]),
);

/** @returns undefined if the version is served */
export function findRemoval(apiVersion: string, kind: string): Removal | undefined {
    const kinds = REMOVED[apiVersion];
    return kinds?.[kind] ?? kinds?.["*"];
}
