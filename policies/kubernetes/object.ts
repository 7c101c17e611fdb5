/** Any JSON object, with unchecked contents. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * A Kubernetes object from a rendering, a file or a Pulumi resource. In a preview any field may be unknown, and
 * reading it throws; names are therefore read lazily.
 */
export interface KubernetesObject {
    readonly apiVersion: string;
    readonly kind: string;
    /** `namespace/name`, without unknown parts. */
    readonly label: string;
    readonly name: string;
    /** Empty for objects without a namespace. */
    readonly namespace: string;
    readonly body: Json;
    /** Whether it contains only some fields of another owner's object, which may have others. */
    readonly isPatch: boolean;
    /** URN of the Pulumi resource. Undefined outside Pulumi. */
    readonly urn: string | undefined;
}

/** A place in an object; `read` throws if its value is unknown. */
export interface Place<T> {
    readonly path: string;
    readonly container?: string;
    readonly read: () => T;
}

/** Converts a value to its object, or to those of a List and its nested Lists; other values have none. */
export function toObjects(value: unknown): KubernetesObject[] {
    if (!isJson(value)) return [];
    const { apiVersion, kind, items } = value;
    if (typeof apiVersion !== "string" || typeof kind !== "string") return [];
    if (!isListKind(kind, value)) return [toObject(apiVersion, kind, value)];
    if (kind === "List") return Array.isArray(items) ? items.flatMap(toObjects) : [];
    return Array.isArray(items) ? listItems(items, apiVersion, kind) : [];
}

/** A custom kind may end in "List" too, but then its objects have names. */
function isListKind(kind: string, body: Json): boolean {
    if (!kind.endsWith("List")) return false;
    return body.items !== undefined || !("name" in asJson(body.metadata));
}

/** `kubernetes:apps/v1:Deployment` and `…:DeploymentPatch`, `kubernetes:core/v1:Service`, custom resources. */
const TYPE = /^kubernetes:(?<group>[^:]+):(?<kind>\w+)$/;

/**
 * Converts a Pulumi resource to objects, using its type token since the inputs need not contain the kind. Children of
 * a ConfigGroup or a Chart are separate resources.
 */
export function resourceToObjects(type: string, props: Json, urn?: string): KubernetesObject[] {
    const { group, kind } = TYPE.exec(type)?.groups ?? {};
    if (group === undefined || kind === undefined) return [];
    const apiVersion = group.replace(/^core\//, "");
    if (kind.endsWith("List") && Array.isArray(props.items)) {
        return listItems(props.items, apiVersion, kind, urn);
    }
    if (kind.endsWith("Patch")) {
        return [toObject(apiVersion, kind.slice(0, -"Patch".length), props, urn, true)];
    }
    return [toObject(apiVersion, kind, props, urn)];
}

/** Items of a typed list need not contain their kind, which the list implies. */
function listItems(
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
            const namespace = ifKnown(() => this.namespace) ?? "?";
            const name = ifKnown(() => this.name) ?? urn?.split("::").pop() ?? "?";
            return namespace === "" ? name : `${namespace}/${name}`;
        },
    };
}

export function isJson(value: unknown): value is Json {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns the value if it is an object, else an empty one. */
export function asJson(value: unknown): Json {
    return isJson(value) ? value : {};
}

/** @returns the elements that are objects; none if the value is not a list. */
export function asList(value: unknown): readonly Json[] {
    return Array.isArray(value) ? value.filter(isJson) : [];
}

/** Recognises the error of @pulumi/policy, which is not imported since it takes a second to load. */
export function isUnknown(error: unknown): error is Error {
    return error instanceof Error && "unknownTypeSentinel" in error;
}

/** @returns the value, or undefined if it is unknown in a preview */
export function ifKnown<T>(read: () => T): T | undefined {
    try {
        return read();
    } catch (error) {
        if (isUnknown(error)) return undefined;
        throw error;
    }
}
