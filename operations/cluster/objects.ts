import {
    HttpMethod,
    type Configuration,
    type HttpLibrary,
    type KubernetesListObject,
    type KubernetesObject,
    type RequestContext,
} from "@kubernetes/client-node";
import { UserError } from "@property-search/contract";
import { sendWithRetryAfter } from "./retryAfter.ts";

/** Identifies one object of a cluster. */
export interface ObjectReference {
    apiVersion: string;
    kind: string;
    /** Absent for cluster-scoped kinds. */
    namespace?: string;
    name: string;
}

/** An object to write, with its kind and name. */
export interface Writable extends KubernetesObject {
    apiVersion?: string;
    kind?: string;
}

export interface WriteOptions {
    /** Field manager. Required by apply. */
    readonly fieldManager?: string;
    /** Whether the server only returns what it would store. Default: false */
    readonly dryRun?: boolean;
}

export interface ApplyOptions extends WriteOptions {
    readonly fieldManager: string;
    /** Whether to take over fields of other managers. Default: false, which fails with a conflict */
    readonly force?: boolean;
}

export interface DeleteOptions {
    /** Deletes only the object with this uid, not a later one of the same name. */
    readonly uid?: string | undefined;
    /** Whether dependents stay, such as the pods of a StatefulSet that is recreated. Default: false */
    readonly orphan?: boolean;
    /** Time that a pod has for its end, in seconds. Default: the pod's own */
    readonly graceSeconds?: number;
}

/** An unsuccessful response of the API server. */
export class ApiError extends UserError {
    override readonly name = "ApiError";
    /** HTTP status. */
    readonly code: number;
    /** The server's Status as text. */
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;

    constructor(code: number, body: string, headers: Readonly<Record<string, string>> = {}) {
        super(`the API server responded with ${code}: ${messageIn(body)}`);
        this.code = code;
        this.body = body;
        this.headers = headers;
    }
}

export interface ApiResource {
    /** Plural, as in paths. */
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs?: readonly string[];
}

interface ApiGroup {
    readonly preferredVersion: { readonly groupVersion: string };
}

/** Content types of patches (https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply). */
const APPLY = "application/apply-patch+yaml";
const MERGE = "application/merge-patch+json";
const JSON_TYPE = "application/json";

/**
 * Reads and writes objects of any kind as plain JSON. The API classes of @kubernetes/client-node map objects to type models
 * instead, which rename fields such as `from` and `default` and discard unknown ones; only the client's connection and
 * authentication are used here.
 */
export class ObjectApi {
    readonly #configuration: Configuration;
    readonly #http: HttpLibrary;
    readonly #resources = new Map<string, Promise<readonly ApiResource[]>>();

    constructor(configuration: Configuration) {
        this.#configuration = configuration;
        this.#http = configuration.httpApi;
    }

    /** @throws ApiError 404 if the object or its kind does not exist */
    async read<T extends KubernetesObject>(reference: ObjectReference): Promise<T> {
        return this.#send<T>(HttpMethod.GET, await this.#pathOf(reference));
    }

    /** Lists the objects of a kind. Default: in all namespaces */
    async list<T extends KubernetesObject>(
        apiVersion: string,
        kind: string,
        { namespace, labelSelector }: { namespace?: string; labelSelector?: string } = {},
    ): Promise<KubernetesListObject<T>> {
        const path = collectionOf(await this.#resource(apiVersion, kind), apiVersion, namespace);
        const query = labelSelector === undefined ? {} : { labelSelector };
        return this.#send(HttpMethod.GET, path, { query });
    }

    /** @throws ApiError 409 if it exists */
    async create<T extends Writable>(object: T, options: WriteOptions = {}): Promise<T> {
        const { apiVersion, kind, namespace } = referenceIn(object);
        const resource = await this.#resource(apiVersion, kind);
        const path = collectionOf(resource, apiVersion, namespace);
        return this.#send<T>(HttpMethod.POST, path, { query: queryOf(options), body: object });
    }

    /** Replaces a whole object. @throws ApiError 409 if its resourceVersion is outdated */
    async replace<T extends Writable>(object: T, options: WriteOptions = {}): Promise<T> {
        const path = await this.#pathOf(referenceIn(object));
        return this.#send<T>(HttpMethod.PUT, path, { query: queryOf(options), body: object });
    }

    /** Server-side apply; an unknown field is an error that names it. */
    async apply<T extends Writable>(object: T, options: ApplyOptions): Promise<T> {
        const path = await this.#pathOf(referenceIn(object));
        const query = {
            ...queryOf(options),
            force: String(options.force ?? false),
            fieldValidation: "Strict",
        };
        return this.#send<T>(HttpMethod.PATCH, path, { query, body: object, type: APPLY });
    }

    /** JSON merge patch: null removes a field. */
    async merge<T extends Writable>(object: T, options: WriteOptions = {}): Promise<T> {
        const path = await this.#pathOf(referenceIn(object));
        return this.#send<T>(HttpMethod.PATCH, path, {
            query: queryOf(options),
            body: object,
            type: MERGE,
        });
    }

    /** Deletes an object, and its dependents in the background unless they are orphaned. */
    async delete(
        reference: ObjectReference,
        { uid, orphan = false, graceSeconds }: DeleteOptions = {},
    ): Promise<void> {
        const body = {
            apiVersion: "v1",
            kind: "DeleteOptions",
            propagationPolicy: orphan ? "Orphan" : "Background",
            ...(uid !== undefined && { preconditions: { uid } }),
            ...(graceSeconds !== undefined && { gracePeriodSeconds: graceSeconds }),
        };
        await this.#send(HttpMethod.DELETE, await this.#pathOf(reference), { body });
    }

    /** Reads JSON from an absolute path of the API, such as `/version`. */
    async get<T>(path: string): Promise<T> {
        return this.#send<T>(HttpMethod.GET, path);
    }

    /** Reads text from an absolute path of the API, such as a pod's log. */
    async text(path: string): Promise<string> {
        return this.#answer(await this.#request(HttpMethod.GET, path, { accept: "*/*" }));
    }

    /** Lists the kinds of the server, each in its preferred version. */
    async kinds(): Promise<(ApiResource & { readonly apiVersion: string })[]> {
        const { groups } = await this.get<{ groups: ApiGroup[] }>("/apis");
        const versions = [
            "v1",
            ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion),
        ];
        const all = await Promise.all(
            versions.map(async (apiVersion) =>
                (await this.#resourcesOf(apiVersion)).map((one) => ({ ...one, apiVersion })),
            ),
        );
        return all.flat().filter(({ name }) => !name.includes("/"));
    }

    /** Whether the server serves a kind. */
    async isServed(apiVersion: string, kind: string): Promise<boolean> {
        const resources = await this.#resourcesOf(apiVersion).catch(noneIf404);
        return resources.some((resource) => hasKind(resource, kind));
    }

    async #pathOf({ apiVersion, kind, namespace, name }: ObjectReference): Promise<string> {
        const resource = await this.#resource(apiVersion, kind);
        return `${collectionOf(resource, apiVersion, namespace, name)}/${encodeURIComponent(name)}`;
    }

    /** Uses the cached discovery unless it lacks the kind, which may have been defined since. */
    async #resource(apiVersion: string, kind: string): Promise<ApiResource> {
        for (const isFresh of this.#resources.has(apiVersion) ? [false, true] : [true]) {
            if (isFresh) this.#resources.delete(apiVersion);
            const found = (await this.#resourcesOf(apiVersion)).find((one) => hasKind(one, kind));
            if (found) return found;
        }
        const message = `the cluster does not know ${apiVersion} ${kind}`;
        throw new ApiError(404, JSON.stringify({ message }));
    }

    #resourcesOf(apiVersion: string): Promise<readonly ApiResource[]> {
        const known = this.#resources.get(apiVersion);
        if (known) return known;
        const resources = this.get<{ resources?: ApiResource[] }>(rootOf(apiVersion)).then(
            ({ resources }) => resources ?? [],
        );
        this.#resources.set(apiVersion, resources);
        resources.catch(() => this.#resources.delete(apiVersion));
        return resources;
    }

    async #send<T>(method: HttpMethod, path: string, sent: RequestOptions = {}): Promise<T> {
        return JSON.parse(await this.#answer(await this.#request(method, path, sent))) as T;
    }

    async #request(
        method: HttpMethod,
        path: string,
        { query = {}, body, type = JSON_TYPE, accept = JSON_TYPE }: RequestOptions,
    ): Promise<RequestContext> {
        const { baseServer, authMethods } = this.#configuration;
        const request = baseServer.makeRequestContext(path, method);
        request.setHeaderParam("Accept", accept);
        for (const [key, value] of Object.entries(query)) request.setQueryParam(key, value);
        if (body !== undefined) {
            request.setHeaderParam("Content-Type", type);
            request.setBody(JSON.stringify(body));
        }
        await authMethods.default?.applySecurityAuthentication(request);
        return request;
    }

    async #answer(request: RequestContext): Promise<string> {
        const { httpStatusCode, headers, body } = await sendWithRetryAfter(this.#http, request);
        const text = await body.text();
        if (httpStatusCode < 200 || httpStatusCode > 299) {
            throw new ApiError(httpStatusCode, text, headers);
        }
        return text;
    }
}

/** The message of a Status; of any other response its first characters. */
function messageIn(body: string): string {
    try {
        const { message } = JSON.parse(body) as { message?: unknown };
        if (typeof message === "string" && message !== "") return message.slice(0, 1000);
    } catch {
        // A proxy may respond with HTML.
    }
    return body.slice(0, 1000);
}

interface RequestOptions {
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly type?: string;
    readonly accept?: string;
}

function queryOf({ fieldManager, dryRun }: WriteOptions): Record<string, string> {
    return { ...(fieldManager && { fieldManager }), ...(dryRun && { dryRun: "All" }) };
}

function referenceIn({ apiVersion = "", kind = "", metadata }: Writable): ObjectReference {
    const { name = "", namespace } = metadata ?? {};
    return { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) };
}

/** @param name of one object; a namespaced kind then requires a namespace. */
function collectionOf(
    { name: plural, kind, namespaced }: ApiResource,
    apiVersion: string,
    namespace: string | undefined,
    name?: string,
): string {
    if (!namespaced) return `${rootOf(apiVersion)}/${plural}`;
    if (namespace !== undefined && namespace !== "") {
        return `${rootOf(apiVersion)}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
    }
    if (name !== undefined) throw new Error(`${kind} ${name} has no namespace`);
    return `${rootOf(apiVersion)}/${plural}`;
}

function rootOf(apiVersion: string): string {
    return `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}`;
}

/** Excludes subresources, such as `pods/log`, which have kinds of their own. */
function hasKind(resource: ApiResource, kind: string): boolean {
    return resource.kind === kind && !resource.name.includes("/");
}

function noneIf404(error: unknown): readonly ApiResource[] {
    if (error instanceof ApiError && error.code === 404) return [];
    throw error;
}
