import { KubeConfig, type KubernetesObject, type V1ObjectMeta } from "@kubernetes/client-node";
import { UserError } from "@property-search/contract";
import { ApiError, ObjectApi, type ObjectReference } from "./objects.ts";
import { retryAfterSeconds } from "./retryAfter.ts";

export type { ObjectReference };

/** A rendered Kubernetes object, which always has a name. */
export interface Manifest extends KubernetesObject {
    apiVersion: string;
    kind: string;
    metadata: V1ObjectMeta & { name: string };
}

export interface Cluster {
    /** Name of the kubeconfig's context. */
    readonly context: string;
    readonly server: string;
    readonly objects: ObjectApi;
    /** The kubeconfig as YAML with this context as the current one. Contains credentials. */
    readonly exportKubeconfig: () => string;
}

/** Field manager of a deploy. */
export const FIELD_MANAGER = "property-search-deploy";

export class ClusterError extends UserError {
    override readonly name = "ClusterError";
}

/** Server that the client assumes without a kubeconfig. */
const FALLBACK_SERVER = "http://localhost:8080";

/**
 * Connects to the cluster of a kubeconfig file (default: KUBECONFIG, then ~/.kube/config) and a context (default: the
 * current one).
 *
 * @throws ClusterError if the context does not exist, with the existing ones
 */
export function connect(kubeconfig?: string, context?: string): Cluster {
    const config = new KubeConfig();
    if (kubeconfig) config.loadFromFile(kubeconfig);
    else config.loadFromDefault();
    if (context) {
        const names = config.getContexts().map(({ name }) => name);
        if (!names.includes(context)) {
            throw new ClusterError(
                `CONTEXT is "${context}", which the kubeconfig does not have; ` +
                    `it has: ${names.join(", ") || "none"}`,
            );
        }
        config.setCurrentContext(context);
    }
    const server = config.getCurrentCluster()?.server;
    if (server === FALLBACK_SERVER) {
        throw new ClusterError(
            "there is no kubeconfig: set KUBECONFIG, or create ~/.kube/config (make up prints the path of its own)",
        );
    }
    if (!server) throw new ClusterError("the kubeconfig has no current cluster; set CONTEXT=name");
    return {
        context: config.getCurrentContext(),
        server,
        objects: config.makeApiClient(ObjectApi),
        exportKubeconfig: () => config.exportConfig(),
    };
}

export function referenceOf(manifest: Manifest): ObjectReference {
    const { name, namespace } = manifest.metadata;
    const { apiVersion, kind } = manifest;
    return namespace === undefined
        ? { apiVersion, kind, name }
        : { apiVersion, kind, namespace, name };
}

/** `apps/Deployment property-search-blue/embedding-service-blue`, independent of the group's version. */
export function keyOf({ apiVersion, kind, namespace, name }: ObjectReference): string {
    const group = apiVersion.includes("/") ? `${apiVersion.split("/")[0] ?? ""}/` : "";
    return `${group}${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** Identity of an object as a manifest without further fields. */
export function headerOf({ apiVersion, kind, namespace, name }: ObjectReference) {
    return {
        apiVersion,
        kind,
        metadata: namespace === undefined ? { name } : { name, namespace },
    };
}

/** Reads an object; undefined if it or its kind does not exist. */
export async function readIfExists<T extends KubernetesObject>(
    cluster: Cluster,
    reference: ObjectReference,
): Promise<T | undefined> {
    try {
        return await cluster.objects.read<T>(reference);
    } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
    }
}

/** Creates an object, unless it exists. */
export async function createIfAbsent(cluster: Cluster, object: KubernetesObject): Promise<void> {
    try {
        await cluster.objects.create(object);
    } catch (error) {
        if (statusOf(error) !== 409) throw error;
    }
}

/** Deletes an object if it exists; with a uid, only the object with this uid. */
export async function deleteIfExists(
    cluster: Cluster,
    reference: ObjectReference,
    uid?: string,
): Promise<void> {
    try {
        await cluster.objects.delete(reference, { uid });
    } catch (error) {
        // 409: another object has the name now.
        if (statusOf(error) !== 404 && (uid === undefined || statusOf(error) !== 409)) throw error;
    }
}

/** HTTP status of an API error; undefined for anything else, such as a refused connection. */
export function statusOf(error: unknown): number | undefined {
    if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
    return typeof error.code === "number" ? error.code : undefined;
}

/** Whether an error is the last of many responses with Retry-After. */
export function hasExhaustedRetries(error: unknown): boolean {
    return error instanceof ApiError && retryAfterSeconds(error.code, error.headers) !== undefined;
}

/** The API server's message of an error, else the error's own. */
export function messageOf(error: unknown): string {
    const { message } = apiStatusOf(error);
    if (message !== undefined) return message;
    // A WebSocket's error is an event.
    const own = (error as { readonly message?: unknown } | undefined)?.message;
    return typeof own === "string" ? own : String(error);
}

/** The API server's description of a problem with a field. */
export interface Cause {
    readonly reason?: string;
    readonly message?: string;
    readonly field?: string;
}

/** The API server's causes of an error; may be empty. */
export function causesOf(error: unknown): readonly Cause[] {
    return apiStatusOf(error).details?.causes ?? [];
}

/** The used part of the API server's Status. */
interface ApiStatus {
    readonly message?: string;
    readonly details?: { readonly causes?: readonly Cause[] };
}

function apiStatusOf(error: unknown): ApiStatus {
    if (typeof error !== "object" || error === null || !("body" in error)) return {};
    const body: unknown = typeof error.body === "string" ? parseJson(error.body) : error.body;
    return typeof body === "object" && body !== null ? body : {};
}

/** Parses JSON; undefined for invalid text. */
export function parseJson(text: string | undefined): unknown {
    try {
        return text === undefined ? undefined : JSON.parse(text);
    } catch {
        return undefined;
    }
}
