import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { Cluster, Manifest, ObjectReference } from "../../cluster/connect.ts";
import { ApiError } from "../../cluster/objects.ts";
import { listen } from "./listen.ts";
import { ObjectStore } from "./objectStore.ts";

export interface ApiServer {
    readonly cluster: Cluster;
    /** Server-side apply by another field manager, with force. */
    readonly apply: (manager: string, object: Manifest) => Promise<void>;
    /** Called before each write of a deploy, with the object's kind. */
    onWrite: (kind: string) => Promise<void> | void;
    /** Responses that replace those of the next writes. */
    readonly refusals: { status: number; retryAfter?: string }[];
    /** Number of write requests. */
    writes: number;
    readonly close: () => void;
}

const KINDS: Readonly<Record<string, readonly string[]>> = {
    "/api/v1": ["ConfigMap", "Namespace", "PersistentVolumeClaim", "Secret"],
    "/apis/gateway.networking.k8s.io/v1": ["HTTPRoute"],
    "/apis/keda.sh/v1alpha1": ["ScaledObject"],
    "/apis/autoscaling/v2": ["HorizontalPodAutoscaler"],
};
/** Path of one object or of the objects of a kind. */
const PATH =
    /^(?<root>\/api\/v1|\/apis\/[^/]+\/[^/]+)(\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[a-z]+)(\/(?<name>[^/]+))?$/;

/**
 * As much of an API server as a deploy needs: objects, and server-side apply with its conflicts. How the real one
 * behaves is what tests/cluster/deploy.test.ts looks at.
 */
export async function startApiServer(): Promise<ApiServer> {
    const store = new ObjectStore();
    const server = createServer((request, response) => {
        void handle(request, response);
    });
    const { url, cluster } = await listen(server);
    const api: ApiServer = {
        cluster,
        apply: (manager, object) => Promise.resolve(void store.apply(object, manager, true)),
        onWrite: () => undefined,
        refusals: [],
        writes: 0,
        close: () => {
            server.close();
            server.closeAllConnections();
        },
    };
    return api;

    async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const { pathname, searchParams } = new URL(request.url ?? "/", url);
        try {
            const body = await text(request);
            const found = describeApi(pathname) ?? (await respond(pathname, searchParams, body));
            send(response, 200, found);
        } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            for (const [name, value] of Object.entries(error.headers))
                response.setHeader(name, value);
            send(response, error.code, JSON.parse(error.body) as object);
        }

        async function respond(path: string, query: URLSearchParams, body: string) {
            const reference = referenceIn(path);
            const { kind, namespace, name } = reference;
            if (request.method === "GET" && name === "")
                return { items: store.list(kind, namespace) };
            if (request.method === "GET") return store.read(reference) ?? notFound();
            const given = JSON.parse(body) as Manifest & { preconditions?: { uid?: string } };
            if (request.method === "DELETE") {
                store.delete(reference, given.preconditions?.uid);
                return {};
            }
            api.writes += 1;
            await api.onWrite(given.kind);
            refuse();
            if (request.method === "POST") return store.create(given);
            const type = request.headers["content-type"];
            if (type === "application/merge-patch+json") return store.setManagedFields(given);
            if (type !== "application/apply-patch+yaml") return store.replace(given);
            const manager = query.get("fieldManager") ?? "";
            return store.apply(given, manager, query.get("force") === "true");
        }
    }

    /** @throws ApiError with the next of `refusals` */
    function refuse(): void {
        const refusal = api.refusals.shift();
        if (!refusal) return;
        const { status, retryAfter } = refusal;
        const headers = retryAfter === undefined ? {} : { "Retry-After": retryAfter };
        throw new ApiError(status, JSON.stringify({ message: "not now" }), headers);
    }
}

/** Discovery documents; undefined for other paths. */
function describeApi(path: string): object | undefined {
    if (path === "/apis") {
        const roots = Object.keys(KINDS).filter((root) => root.startsWith("/apis/"));
        return {
            groups: roots.map((root) => ({ preferredVersion: { groupVersion: root.slice(6) } })),
        };
    }
    const resources = KINDS[path]?.map((kind) => ({
        name: plural(kind),
        kind,
        namespaced: kind !== "Namespace",
        verbs: ["list"],
    }));
    return resources && { resources };
}

/** The object of a path; with an empty name for all objects of a kind. */
function referenceIn(path: string): ObjectReference {
    const { root = "", namespace, plural: ofKind, name = "" } = PATH.exec(path)?.groups ?? {};
    const kind = KINDS[root]?.find((one) => plural(one) === ofKind) ?? notFound();
    const apiVersion = root.replace(/^\/apis?\//, "");
    return { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) };
}

function notFound(): never {
    throw new ApiError(404, JSON.stringify({ message: "not found" }));
}

function send(response: ServerResponse, status: number, body: object): void {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
}

function plural(kind: string): string {
    return `${kind.toLowerCase()}s`;
}
