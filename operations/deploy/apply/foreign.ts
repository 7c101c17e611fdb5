import type { KubernetesObject, V1PersistentVolumeClaim } from "@kubernetes/client-node";
import {
    CERTIFICATES_NAMESPACE,
    GATEWAY_NAME,
    NAMESPACES,
    RELEASE,
} from "@property-search/contract";
import { keyOf, type Cluster, type ObjectReference } from "../../cluster/connect.ts";
import { ownersOf } from "../../cluster/fieldOwnership.ts";
import { forEachConcurrently } from "./concurrency.ts";

/** Kinds whose objects controllers create for each namespace, Service or pod. */
const CONTROLLER_KINDS = [
    "ControllerRevision",
    "Endpoints",
    "EndpointSlice",
    "Event",
    "Lease",
    "PersistentVolumeClaim",
    "PodMetrics",
];
/** Objects that controllers create in every namespace. */
const DEFAULT_OBJECTS =
    /^(ConfigMap .*\/(kube-root-ca\.crt|istio-ca-root-cert|openshift-service-ca\.crt)|ServiceAccount .*\/(default|builder|deployer))$/;
/** Secrets of cert-manager itself: its ACME account key and its webhook CA. */
const CERT_MANAGER_SECRETS = [
    `Secret ${NAMESPACES.edge}/${GATEWAY_NAME}-account`,
    `Secret ${CERTIFICATES_NAMESPACE}/cert-manager-webhook-ca`,
];
const CONTROLLER_SECRET_TYPES = ["kubernetes.io/service-account-token", "kubernetes.io/dockercfg"];

/** The release driver, and the local platform, which brings its addons back with each `make up`. */
const OUR_MANAGERS: readonly string[] = [RELEASE.fieldManager, "property-search-local"];

interface ListedObject extends KubernetesObject {
    readonly type?: string;
}

/**
 * Finds objects in namespaces that neither the stack, a controller nor the local platform created; their keys by
 * namespace.
 */
export async function findForeignObjects(
    cluster: Cluster,
    namespaces: readonly string[],
    inventory: readonly ObjectReference[],
): Promise<Map<string, string[]>> {
    const known = new Set(inventory.map(keyOf));
    const found = new Map<string, string[]>();
    await forEachConcurrently(
        await cluster.objects.kinds(),
        async ({ apiVersion, kind, namespaced, verbs }) => {
            if (!namespaced || !verbs?.includes("list") || CONTROLLER_KINDS.includes(kind)) return;
            const { items } = await cluster.objects.list<ListedObject>(apiVersion, kind);
            for (const { metadata, type = "" } of items) {
                const { namespace = "", name = "" } = metadata ?? {};
                if (!namespaces.includes(namespace)) continue;
                const key = keyOf({ apiVersion, kind, namespace, name });
                const isDerived =
                    known.has(key) ||
                    DEFAULT_OBJECTS.test(key) ||
                    CERT_MANAGER_SECRETS.includes(key) ||
                    CONTROLLER_SECRET_TYPES.includes(type) ||
                    (metadata?.ownerReferences ?? []).length > 0 ||
                    ownersOf({ metadata: metadata ?? {} }, []).some((one) =>
                        OUR_MANAGERS.includes(one),
                    ) ||
                    isCertManagerObject({ metadata: metadata ?? {} });
                if (!isDerived) found.set(namespace, [...(found.get(namespace) ?? []), key]);
            }
        },
    );
    return found;
}

/** Lists volume claims in namespaces, with their sizes, for a message. */
export async function listVolumes(
    cluster: Cluster,
    namespaces: readonly string[],
): Promise<string[]> {
    const lists = await Promise.all(
        namespaces.map((namespace) =>
            cluster.objects.list<V1PersistentVolumeClaim>("v1", "PersistentVolumeClaim", {
                namespace,
            }),
        ),
    );
    return lists.flatMap(({ items }) =>
        items.map(({ metadata, spec, status }) => {
            const size = status?.capacity?.storage ?? spec?.resources?.requests?.storage ?? "?";
            return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""} (${size})`;
        }),
    );
}

/** Whether cert-manager created an object, such as the key of a certificate. */
function isCertManagerObject({ metadata }: KubernetesObject): boolean {
    const marks = { ...metadata?.labels, ...metadata?.annotations };
    return Object.keys(marks).some((key) => /^(controller\.)?cert-manager\.io\//.test(key));
}
