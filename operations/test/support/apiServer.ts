import type { V1ManagedFieldsEntry } from "@kubernetes/client-node";
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { isDeepStrictEqual } from "node:util";
import type { Cluster, Manifest } from "../../cluster/connect.ts";
import { listen } from "./listen.ts";

/** Paths of fields; lists are one value, as in a route and an autoscaler. */
type Fields = Map<string, unknown>;

interface Stored {
    readonly header: Pick<Manifest, "apiVersion" | "kind" | "metadata">;
    readonly uid: string;
    fields: Fields;
    /** Field managers by path. */
    owners: Map<string, Set<string>>;
    version: number;
}

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
const SEPARATOR = "\u0000";
const DRIVER = "x-test-somebody-else";

/**
 * As much of an API server as a deploy needs: objects, and server-side apply with its conflicts. How the
 * real one behaves is what tests/cluster/deploy.test.ts looks at.
 */
export async function startApiServer(): Promise<ApiServer> {
    const objects = new Map<string, Stored>();
    const server = createServer((request, response) => {
        void handle(request, response);
    });
    const { url, cluster } = await listen(server);
    const api: ApiServer = {
        cluster,
        apply: async (manager, object) => {
            const [base = ""] =
                Object.entries(KINDS).find(([, kinds]) => kinds.includes(object.kind)) ?? [];
            const { namespace = "", name } = object.metadata;
            const folder = namespace === "" ? "" : `/namespaces/${namespace}`;
            const objectPath = `${base}${folder}/${plural(object.kind)}/${name}`;
            const query = `fieldManager=${manager}&force=true`;
            const answer = await fetch(`${url}${objectPath}?${query}`, {
                method: "PATCH",
                headers: { "content-type": "application/apply-patch+yaml", [DRIVER]: "yes" },
                body: JSON.stringify(object),
            });
            if (!answer.ok) throw new Error(await answer.text());
        },
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
        if (pathname === "/apis") {
            const groups = Object.keys(KINDS)
                .filter((root) => root.startsWith("/apis/"))
                .map((root) => ({ preferredVersion: { groupVersion: root.slice(6) } }));
            send(response, 200, { groups });
            return;
        }
        const kinds = KINDS[pathname];
        if (kinds) {
            const resources = kinds.map((kind) => ({
                name: plural(kind),
                kind,
                namespaced: kind !== "Namespace",
                verbs: ["list"],
            }));
            send(response, 200, { resources });
            return;
        }
        let body = "";
        for await (const chunk of request) body += String(chunk);
        if (request.method === "GET") {
            const found = objects.get(pathname);
            const items = listed(objects, pathname);
            if (found) send(response, 200, rendered(found));
            else if (items) send(response, 200, { items: items.map(rendered) });
            else send(response, 404, { message: "not found" });
            return;
        }
        const given = JSON.parse(body) as Manifest;
        if (request.method === "DELETE") {
            const found = objects.get(pathname);
            const { uid } = (given as { preconditions?: { uid?: string } }).preconditions ?? {};
            if (!found) send(response, 404, { message: "not found" });
            else if (uid !== undefined && uid !== found.uid) {
                send(response, 409, { message: "the UID in the precondition differs" });
            } else {
                objects.delete(pathname);
                // Objects of other groups in a namespace are deleted with it.
                const namespace = /^\/api\/v1\/namespaces\/([^/]+)$/.exec(pathname)?.[1];
                for (const key of objects.keys()) {
                    if (namespace && key.includes(`/namespaces/${namespace}/`)) objects.delete(key);
                }
                send(response, 200, {});
            }
            return;
        }
        if (request.headers[DRIVER] === undefined) {
            api.writes += 1;
            await api.onWrite(given.kind);
            const refusal = api.refusals.shift();
            if (refusal) {
                const { status, retryAfter } = refusal;
                if (retryAfter !== undefined) response.setHeader("Retry-After", retryAfter);
                send(response, status, { message: "not now" });
                return;
            }
        }
        const isNew = request.method === "POST";
        const objectPath = isNew ? `${pathname}/${given.metadata.name}` : pathname;
        if (isNew && objects.has(objectPath)) {
            send(response, 409, { message: "already exists" });
            return;
        }
        const stored = objects.get(objectPath) ?? created(given);
        const { resourceVersion } = given.metadata;
        if (resourceVersion !== undefined && resourceVersion !== String(stored.version)) {
            send(response, 409, { message: "the object has been modified" });
            return;
        }
        objects.set(objectPath, stored);
        if (request.headers["content-type"] === "application/merge-patch+json") {
            stored.owners = ownersIn(given.metadata.managedFields ?? []);
        } else if (request.headers["content-type"] === "application/apply-patch+yaml") {
            const manager = searchParams.get("fieldManager") ?? "";
            const force = searchParams.get("force") === "true";
            const causes = applied(stored, given, manager, force);
            if (causes.length > 0) {
                const message = `Apply failed with ${causes.length} conflicts`;
                send(response, 409, { message, reason: "Conflict", details: { causes } });
                return;
            }
        } else {
            stored.fields = fieldsOf(given);
        }
        stored.version += 1;
        send(response, 200, rendered(stored));
    }
}

function send(response: ServerResponse, status: number, body: object): void {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
}

/** Objects of a kind, in a namespace or in all; undefined for a path of one object. */
function listed(objects: ReadonlyMap<string, Stored>, path: string): Stored[] | undefined {
    const plurals = Object.values(KINDS).flat().map(plural);
    const last = path.split("/").at(-1) ?? "";
    if (!plurals.includes(last)) return undefined;
    const [root = ""] = path.split("/namespaces/");
    const isWhole = !path.includes("/namespaces/");
    return [...objects].flatMap(([key, stored]) => {
        const isOfKind = key.split("/").at(-2) === last;
        const base = isWhole ? root.slice(0, -last.length) : path;
        return isOfKind && key.startsWith(base) ? [stored] : [];
    });
}

function plural(kind: string): string {
    return `${kind.toLowerCase()}s`;
}

function created({ apiVersion, kind, metadata }: Manifest): Stored {
    const { name, namespace = "" } = metadata;
    const header = { apiVersion, kind, metadata: { name, namespace } };
    return { header, uid: randomUUID(), fields: new Map(), owners: new Map(), version: 1 };
}

function applied(stored: Stored, given: Manifest, manager: string, force: boolean) {
    const wanted = fieldsOf(given);
    const changes = [...wanted].filter(
        ([field, value]) => !isDeepStrictEqual(stored.fields.get(field), value),
    );
    const causes = changes.flatMap(([field]) =>
        [...(stored.owners.get(field) ?? [])]
            .filter((owner) => owner !== manager)
            .map((owner) => ({
                reason: "FieldManagerConflict",
                message: `conflict with ${JSON.stringify(owner)}`,
                field: `.${field.replaceAll(SEPARATOR, ".")}`,
            })),
    );
    if (causes.length > 0 && !force) return causes;
    for (const [field, value] of changes) {
        stored.fields.set(field, value);
        stored.owners.set(field, new Set());
    }
    for (const [field, owners] of stored.owners) {
        if (wanted.has(field)) owners.add(manager);
        else if (owners.delete(manager) && owners.size === 0) {
            stored.owners.delete(field);
            stored.fields.delete(field);
        }
    }
    for (const field of wanted.keys()) {
        if (!stored.owners.has(field)) stored.owners.set(field, new Set([manager]));
    }
    return [];
}

const HEADER = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];
const OF_THE_SERVER = [
    "metadata.resourceVersion",
    "metadata.managedFields",
    "metadata.uid",
    "metadata.creationTimestamp",
];

function fieldsOf(object: object): Fields {
    const left = [...HEADER, ...OF_THE_SERVER].map((field) => field.replace(".", SEPARATOR));
    return new Map([...leaves(object)].filter(([field]) => !left.includes(field)));
}

function* leaves(value: object, above: readonly string[] = []): Generator<[string, unknown]> {
    for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
        const path = [...above, key];
        if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) {
            yield* leaves(inner, path);
        } else if (inner !== undefined) {
            yield [path.join(SEPARATOR), inner];
        }
    }
}

function rendered({ header, uid, fields, owners, version }: Stored): object {
    const object: Record<string, unknown> = { ...header, metadata: { ...header.metadata } };
    for (const [field, value] of fields) put(object, field.split(SEPARATOR), value);
    put(object, ["metadata", "resourceVersion"], String(version));
    put(object, ["metadata", "uid"], uid);
    put(object, ["metadata", "creationTimestamp"], "2026-11-29T02:00:00Z");
    put(object, ["metadata", "managedFields"], managedFieldsOf(owners));
    return object;
}

function managedFieldsOf(owners: Stored["owners"]): V1ManagedFieldsEntry[] {
    const managers = new Set([...owners.values()].flatMap((some) => [...some]));
    return [...managers].map((manager) => {
        const fieldsV1 = {};
        for (const [field, some] of owners) {
            const path = field.split(SEPARATOR).map((key) => `f:${key}`);
            if (some.has(manager)) put(fieldsV1, path, {});
        }
        return { manager, operation: "Apply", fieldsType: "FieldsV1", fieldsV1 };
    });
}

function ownersIn(managedFields: readonly V1ManagedFieldsEntry[]): Stored["owners"] {
    const owners: Stored["owners"] = new Map();
    for (const { manager = "", fieldsV1 } of managedFields) {
        for (const field of paths((fieldsV1 ?? {}) as object)) {
            owners.set(field, (owners.get(field) ?? new Set()).add(manager));
        }
    }
    return owners;
}

function* paths(fields: object, above: readonly string[] = []): Generator<string> {
    const entries = Object.entries(fields) as [string, object][];
    if (entries.length === 0) yield above.join(SEPARATOR);
    for (const [key, inner] of entries) yield* paths(inner, [...above, key.replace("f:", "")]);
}

function put(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
    const [first = "", ...rest] = path;
    if (rest.length === 0) object[first] = value;
    else put((object[first] ??= {}) as Record<string, unknown>, rest, value);
}
