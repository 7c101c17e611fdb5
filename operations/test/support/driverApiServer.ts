import { isDeepStrictEqual } from "node:util";
import { RELEASE } from "@property-search/contract";
import type { Manifest } from "../../cluster/connect.ts";
import { ApiError } from "../../cluster/objects.ts";
import type { Api } from "../../release/api.ts";

type Tree = Record<string, unknown>;
interface Reference {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
}

/**
 * An API server in memory, with what the driver depends on: resource versions, server-side apply with owners of
 * fields, generations. Spec's own keys are atomic, as the rules of a route are.
 */
export class ApiServer {
    readonly #objects = new Map<string, Manifest>();
    #version = 0;
    /** Called with each written object, before and after the write. */
    onWrite: (before: Manifest | undefined, after: Manifest) => void = () => undefined;

    read(reference: Reference): Manifest | undefined {
        return clone(this.#objects.get(key(reference)));
    }

    create<T extends Manifest>(object: T): T {
        if (this.#objects.has(keyOf(object))) throw conflict("exists");
        return this.#put(undefined, { ...object, metadata: { generation: 1, ...object.metadata } });
    }

    replace<T extends Manifest>(object: T): T {
        const before = this.#objects.get(keyOf(object));
        const { resourceVersion } = object.metadata;
        if (before?.metadata.resourceVersion !== resourceVersion) throw conflict("changed");
        return this.#put(before, object);
    }

    /** Changes an object as its controller, in any version. */
    change(reference: Reference, how: (object: Manifest & { status?: unknown }) => void): void {
        const before = this.#objects.get(key(reference));
        if (!before) throw new Error(`no ${key(reference)}`);
        const after = clone(before);
        how(after);
        this.#put(before, after);
    }

    /** @throws ApiError 409 for another version, and without force for fields of others */
    apply<T extends Manifest>(object: T, manager: string, force: boolean): T {
        const before = this.#objects.get(keyOf(object));
        const { resourceVersion } = object.metadata;
        if (resourceVersion !== undefined && before?.metadata.resourceVersion !== resourceVersion) {
            throw conflict("changed");
        }
        const live = clone(before ?? { ...object, metadata: { ...object.metadata } });
        const owners = ownersIn(live);
        const given = fieldsOf(object);
        for (const [path, value] of given) {
            const others = [...owners].filter(([who, has]) => who !== manager && has.has(path));
            if (!isDeepStrictEqual(at(live, path), value)) {
                const [other] = others;
                if (other && !force) {
                    throw conflict(`conflict with "${other[0]}": .${path.replaceAll("/", ".")}`);
                }
                for (const [, has] of others) has.delete(path);
                set(live, path, value);
            }
        }
        for (const path of owners.get(manager) ?? []) {
            const isShared = [...owners].some(([who, has]) => who !== manager && has.has(path));
            if (!given.has(path) && !isShared) set(live, path, undefined);
        }
        owners.set(manager, new Set(given.keys()));
        live.metadata.managedFields = [...owners]
            .filter(([, has]) => has.size > 0)
            .map(([who, has]) => ({ manager: who, operation: "Apply", fieldsV1: nested(has) }));
        return this.#put(before, live) as T;
    }

    #put<T extends Manifest>(before: Manifest | undefined, object: T): T {
        this.#version += 1;
        const after = clone(object);
        const isChanged = before && !isDeepStrictEqual(specOf(before), specOf(after));
        after.metadata = {
            ...after.metadata,
            resourceVersion: String(this.#version),
            generation: (before?.metadata.generation ?? 1) + (isChanged ? 1 : 0),
        };
        this.#objects.set(keyOf(after), after);
        this.onWrite(before, after);
        return clone(after);
    }
}

/** Fault of a call: none, before it is processed, or its response is lost. */
export type Fault = "none" | "refused" | "lost";

export interface Caller {
    readonly api: Api;
    /** From now on no call of this caller is processed or answered, as after SIGKILL. */
    readonly kill: () => void;
    readonly isKilled: () => boolean;
    /** Counts a point at which the caller can be killed; it returns if the caller survives. */
    readonly point: () => Promise<void>;
}

export interface CallerOptions {
    /** Fault of the nth call. */
    readonly fault?: (call: number) => Fault;
    /** Point at which the caller is killed: each call has one before and one after it. */
    readonly killAt?: number;
    readonly onPoint?: (point: number) => void;
}

/** The API of one driver. */
export function caller(server: ApiServer, options: CallerOptions = {}): Caller {
    const { fault = () => "none", killAt, onPoint } = options;
    let calls = 0;
    let points = 0;
    let killed = false;

    const point = async (): Promise<void> => {
        const number = points;
        points += 1;
        onPoint?.(number);
        if (number === killAt) killed = true;
        if (killed) await new Promise<never>(() => undefined);
    };

    async function call<T>(work: () => T): Promise<T> {
        await point();
        const what = fault(calls);
        calls += 1;
        if (what === "refused") throw Object.assign(new Error("try later"), { code: 429 });
        const result = work();
        await point();
        if (what === "lost") throw Object.assign(new Error("connection reset"), { code: 500 });
        return result;
    }

    return {
        kill: () => (killed = true),
        isKilled: () => killed,
        point,
        api: {
            read: <T extends Manifest>(reference: Reference) =>
                call(() => server.read(reference) as T | undefined),
            create: (object) => call(() => server.create(object)),
            replace: (object) => call(() => server.replace(object)),
            apply: (object) => call(() => server.apply(object, RELEASE.fieldManager, true)),
        },
    };
}

function conflict(message: string): ApiError {
    return new ApiError(409, JSON.stringify({ message }));
}

/** Copies by JSON, as the API does; structuredClone of Jest's realm creates other objects. */
function clone<T>(value: T): T {
    return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

function key({ kind, namespace = "", name }: Reference): string {
    return `${kind} ${namespace}/${name}`;
}

function keyOf({ apiVersion, kind, metadata: { namespace = "", name } }: Manifest): string {
    return key({ apiVersion, kind, namespace, name });
}

function specOf(object: Manifest): unknown {
    return (object as Manifest & { spec?: unknown }).spec;
}

/** Paths of applied fields: annotations, and keys of the spec. */
function fieldsOf(object: Manifest): Map<string, unknown> {
    const { annotations = {} } = object.metadata;
    const spec = (specOf(object) ?? {}) as Tree;
    return new Map([
        ...Object.entries(annotations).map(([name, value]): [string, unknown] => [
            `metadata|annotations|${name}`,
            value,
        ]),
        ...Object.entries(spec).map(([name, value]): [string, unknown] => [`spec|${name}`, value]),
    ]);
}

function at(object: Manifest, path: string): unknown {
    return path
        .split("|")
        .reduce<unknown>((tree, name) => (tree as Tree | undefined)?.[name], object);
}

function set(object: Manifest, path: string, value: unknown): void {
    const names = path.split("|");
    const last = names.pop() ?? "";
    let tree = object as unknown as Tree;
    for (const name of names) tree = (tree[name] ??= {}) as Tree;
    if (value === undefined) Reflect.deleteProperty(tree, last);
    else tree[last] = clone(value);
}

function nested(paths: ReadonlySet<string>): Tree {
    const root: Tree = {};
    for (const path of paths) {
        let tree = root;
        for (const name of path.split("|")) tree = (tree[`f:${name}`] ??= {}) as Tree;
    }
    return root;
}

function ownersIn(object: Manifest): Map<string, Set<string>> {
    return new Map(
        (object.metadata.managedFields ?? []).map(({ manager = "", fieldsV1 }) => [
            manager,
            new Set(leaves(fieldsV1 as Tree)),
        ]),
    );
}

function leaves(tree: Tree, path: readonly string[] = []): string[] {
    return Object.entries(tree).flatMap(([name, inner]) => {
        const here = [...path, name.slice(2)];
        const isLeaf = Object.keys(inner as Tree).length === 0;
        return isLeaf ? [here.join("|")] : leaves(inner as Tree, here);
    });
}
