/** Any JSON object; what is in it is whatever somebody wrote. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * A Kubernetes object as rules see it, wherever it comes from: a rendering, a file, a resource of Pulumi. In a
 * preview any field may be unknown, and reading it throws; so names are read only by what needs them.
 */
export interface KubernetesObject {
    readonly apiVersion: string;
    readonly kind: string;
    /** `ns/name`, or as much of it as is known. */
    readonly label: string;
    readonly name: string;
    /** Empty for what has none. */
    readonly namespace: string;
    readonly body: Json;
    /** Only some fields of an object that is somebody else's: what is missing here may stand there. */
    readonly isPatch: boolean;
    /** Of the Pulumi resource that it is. */
    readonly urn: string | undefined;
}

/** A place in an object, and what is there, which may be unknown. */
export interface Place<T> {
    readonly path: string;
    readonly container?: string;
    readonly read: () => T;
}

/** Its object, or those of a List, of Lists in it too. Anything else is none. */
export function objectsOf(value: unknown): KubernetesObject[] {
    if (!isJson(value)) return [];
    const { apiVersion, kind, items } = value;
    if (typeof apiVersion !== "string" || typeof kind !== "string") return [];
    if (!isListKind(kind, value)) return [toObject(apiVersion, kind, value)];
    if (kind === "List") return Array.isArray(items) ? items.flatMap(objectsOf) : [];
    return Array.isArray(items) ? listed(items, apiVersion, kind) : [];
}

/** A kind of its own may end so too, and then it has a name. */
function isListKind(kind: string, body: Json): boolean {
    if (!kind.endsWith("List")) return false;
    return body.items !== undefined || !("name" in json(body.metadata));
}

/** `kubernetes:apps/v1:Deployment` and `…:DeploymentPatch`, `kubernetes:core/v1:Service`, custom resources. */
const TYPE = /^kubernetes:(?<group>[^:]+):(?<kind>\w+)$/;

/**
 * The objects of a Pulumi resource, by its type token, since its inputs need not name their kind. Children
 * of a ConfigGroup or a Chart are resources of their own.
 */
export function objectsOfResource(type: string, props: Json, urn?: string): KubernetesObject[] {
    const { group, kind } = TYPE.exec(type)?.groups ?? {};
    if (group === undefined || kind === undefined) return [];
    const apiVersion = group.replace(/^core\//, "");
    if (kind.endsWith("List") && Array.isArray(props.items)) {
        return listed(props.items, apiVersion, kind, urn);
    }
    if (kind.endsWith("Patch")) {
        return [toObject(apiVersion, kind.slice(0, -"Patch".length), props, urn, true)];
    }
    return [toObject(apiVersion, kind, props, urn)];
}

/** Items of a typed list need not name their kind, which is the list's. */
function listed(
    items: readonly unknown[],
    apiVersion: string,
    kind: string,
    urn?: string,
): KubernetesObject[] {
    const ofItems = kind.slice(0, -"List".length);
    return items.filter(isJson).map((item) => {
        const named = typeof item.kind === "string" ? item.kind : ofItems;
        const version = typeof item.apiVersion === "string" ? item.apiVersion : apiVersion;
        return toObject(version, named, item, urn);
    });
}

function toObject(
    apiVersion: string,
    kind: string,
    body: Json,
    urn?: string,
    isPatch = false,
): KubernetesObject {
    const metadata = () => (isJson(body.metadata) ? body.metadata : {});
    const text = (value: unknown) => (typeof value === "string" ? value : "");
    return {
        apiVersion,
        kind,
        body,
        isPatch,
        urn,
        get name() {
            return text(metadata().name) || text(metadata().generateName);
        },
        get namespace() {
            return text(metadata().namespace);
        },
        get label() {
            const namespace = known(() => this.namespace) ?? "?";
            const name = known(() => this.name) ?? urn?.split("::").pop() ?? "?";
            return namespace === "" ? name : `${namespace}/${name}`;
        },
    };
}

export function isJson(value: unknown): value is Json {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a field holds when it is an object, and an empty one otherwise. */
export function json(value: unknown): Json {
    return isJson(value) ? value : {};
}

/** Elements that are objects, of what may be a list. */
export function list(value: unknown): readonly Json[] {
    return Array.isArray(value) ? value.filter(isJson) : [];
}

/** By what @pulumi/policy throws; it is not imported, since it takes a second to load. */
export function isUnknown(error: unknown): error is Error {
    return error instanceof Error && "unknownTypeSentinel" in error;
}

/** @returns undefined for what cannot be known in a preview */
export function known<T>(read: () => T): T | undefined {
    try {
        return read();
    } catch (error) {
        if (isUnknown(error)) return undefined;
        throw error;
    }
}
