import { KubeConfig, type KubernetesObject, type V1ObjectMeta } from "@kubernetes/client-node";
import { UserError } from "@property-search/contract";
import { ApiError, ObjectApi, type ObjectReference } from "./objects.ts";
import { secondsToWait } from "./retryAfter.ts";

export type { ObjectReference };

/** A Kubernetes object as rendered: always with a name. */
export interface Manifest extends KubernetesObject {
    apiVersion: string;
    kind: string;
    metadata: V1ObjectMeta & { name: string };
}

export interface Cluster {
    /** Name of the kubeconfig's context in use. */
    readonly context: string;
    readonly server: string;
    readonly objects: ObjectApi;
    /** The kubeconfig as YAML with this context as its current one. Holds credentials. */
    readonly exportKubeconfig: () => string;
}

/** Name of a deploy in managedFields. */
export const FIELD_MANAGER = "property-search-deploy";

export class ClusterError extends UserError {
    override readonly name = "ClusterError";
}

/** What the client takes for a cluster when there is no kubeconfig at all. */
const NOBODYS = "http://localhost:8080";

/**
 * Opens the cluster of a kubeconfig file (default: KUBECONFIG, then ~/.kube/config), in a context
 * (default: the current one).
 *
 * @throws ClusterError when the context does not exist; it names those that do.
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
    if (server === NOBODYS) {
        throw new ClusterError(
            "there is no kubeconfig: set KUBECONFIG, or make ~/.kube/config (make up prints the path of its own)",
        );
    }
    if (!server)
        throw new ClusterError("the kubeconfig names no current cluster; set CONTEXT=name");
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

/** `apps/Deployment property-search-blue/embedding-service-blue`, equal for every version of its group. */
export function keyOf({ apiVersion, kind, namespace, name }: ObjectReference): string {
    const group = apiVersion.includes("/") ? `${apiVersion.split("/")[0] ?? ""}/` : "";
    return `${group}${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** An object that says nothing but which one it is. */
export function headerOf({ apiVersion, kind, namespace, name }: ObjectReference) {
    return {
        apiVersion,
        kind,
        metadata: namespace === undefined ? { name } : { name, namespace },
    };
}

/** Reads an object, or undefined when it (or its kind) does not exist. */
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

/** Deletes an object that exists; with a uid, that very one only. */
export async function deleteOne(
    cluster: Cluster,
    reference: ObjectReference,
    uid?: string,
): Promise<void> {
    try {
        await cluster.objects.delete(reference, { uid });
    } catch (error) {
        // 409: meanwhile another object has the name.
        if (statusOf(error) !== 404 && (uid === undefined || statusOf(error) !== 409)) throw error;
    }
}

/** HTTP status of an API error; undefined for anything else, such as a refused connection. */
export function statusOf(error: unknown): number | undefined {
    if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
    return typeof error.code === "number" ? error.code : undefined;
}

/** Whether an error is the last of many answers that asked to come again. */
export function wasRetried(error: unknown): boolean {
    return error instanceof ApiError && secondsToWait(error.code, error.headers) !== undefined;
}

/** The API server's own sentence for an error, else the error's. */
export function messageOf(error: unknown): string {
    const { message } = answerOf(error);
    if (message !== undefined) return message;
    // A WebSocket's error is an event.
    const own = (error as { readonly message?: unknown } | undefined)?.message;
    return typeof own === "string" ? own : String(error);
}

/** What is wrong with which field, as the API server has put it. */
export interface Cause {
    readonly reason?: string;
    readonly message?: string;
    readonly field?: string;
}

/** The API server's causes of an error; none where it gives none. */
export function causesOf(error: unknown): readonly Cause[] {
    return answerOf(error).details?.causes ?? [];
}

/** The part of the API server's Status that is read here. */
interface Answer {
    readonly message?: string;
    readonly details?: { readonly causes?: readonly Cause[] };
}

function answerOf(error: unknown): Answer {
    if (typeof error !== "object" || error === null || !("body" in error)) return {};
    const body: unknown = typeof error.body === "string" ? parseJson(error.body) : error.body;
    return typeof body === "object" && body !== null ? body : {};
}

/** What a text says as JSON; undefined where it is none. */
export function parseJson(text: string | undefined): unknown {
    try {
        return text === undefined ? undefined : JSON.parse(text);
    } catch {
        return undefined;
    }
}
