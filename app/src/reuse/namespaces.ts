import type { LookupContext } from "../requestContext.ts";
import type { NamespaceRef } from "./thread/messages.ts";

/** The namespaces in use. A tenant's texts are in another namespace when its entries have been invalidated. */
export interface Namespaces {
    /** @returns undefined while the dimensions are unknown, or if there are more than MAX_DIMENSIONS */
    readonly find: (context: Context) => FoundNamespace | undefined;
    /**
     * Takes a namespace into use. Only for a vector that has arrived: requests that fail must not keep others out.
     *
     * @returns whether it is in use
     */
    readonly use: (pool: string, namespace: NamespaceRef) => boolean;
    readonly all: () => readonly TenantNamespace[];
    /** Removes those whose entries have been invalidated. */
    readonly removeInvalidated: () => void;
}

type Context = Pick<LookupContext, "pool" | "dimensions">;

export interface FoundNamespace {
    readonly ref: NamespaceRef;
    /** `free`: there is room for it; `full`: there is none. */
    readonly state: "in use" | "free" | "full";
}

export interface TenantNamespace {
    /** The tenant's pool. */
    readonly tenant: string;
    readonly ref: NamespaceRef;
}

export interface NamespacesOptions {
    /** Digest of a pool's current key space: it changes when its entries are invalidated. */
    readonly spaceOf: (pool: string) => string;
    /** Native dimensions of the model, if known. */
    readonly dimensions: () => number | undefined;
    readonly onAdded: (namespace: NamespaceRef) => void;
    readonly onRemoved: (namespace: NamespaceRef, reason: RemovalReason) => void;
    /** In milliseconds. */
    readonly now?: () => number;
}

/** `replaced`: it was idle, or its tenant had more namespaces than others. */
type RemovalReason = "invalidated" | "replaced";

/**
 * Each namespace has a map of signatures to vectors and a sample of documents: about 5 MB with 384 dimensions, and
 * 15 MB with 1,536. When all of them were used within the last hour, another tenant gets one only from a tenant that has two more.
 */
export const MAX_NAMESPACES = 8;
export const IDLE_MILLISECONDS = 3_600_000;
/** Of one namespace. Models with longer vectors are rare, and a namespace of them takes more than 48 MB. */
export const MAX_DIMENSIONS = 4_096;
/** Of all namespaces together: contract/src/settings/memory.ts reserves memory for as many. */
export const MAX_DIMENSIONS_IN_USE = MAX_NAMESPACES * 3_072;

export function createNamespaces(options: NamespacesOptions): Namespaces {
    const { spaceOf, dimensions, onAdded, onRemoved, now = () => performance.now() } = options;
    const inUse = new Map<string, TenantNamespace & { lastUsed: number }>();

    function idOf(pool: string, length: number): string {
        return `${spaceOf(pool)}-${length}`;
    }

    function nameOf(pool: string, length: number): string {
        return `${pool} ${length}`;
    }

    function remove(name: string, reason: RemovalReason): void {
        const removed = inUse.get(name);
        inUse.delete(name);
        if (removed) onRemoved(removed.ref, reason);
    }

    function hasRoom(length: number): boolean {
        const lengths = [...inUse.values()].map(({ ref }) => ref.dimensions);
        const sum = lengths.reduce((total, one) => total + one, length);
        return inUse.size < MAX_NAMESPACES && sum <= MAX_DIMENSIONS_IN_USE;
    }

    /** @returns the name of the namespace that gives way to another one of this pool, if one does */
    function findReplaceable(pool: string): string | undefined {
        const oldestFirst = [...inUse].sort(([, a], [, b]) => a.lastUsed - b.lastUsed);
        const count = (one: string): number =>
            oldestFirst.filter(([, { tenant }]) => tenant === one).length;
        const replaceable = oldestFirst.find(
            ([, { tenant, lastUsed }]) =>
                now() - lastUsed >= IDLE_MILLISECONDS || count(tenant) > count(pool) + 1,
        );
        return replaceable?.[0];
    }

    return {
        find: ({ pool, dimensions: requested }) => {
            const length = requested ?? dimensions();
            if (length === undefined || length > MAX_DIMENSIONS) return undefined;
            const name = nameOf(pool, length);
            const ref = { id: idOf(pool, length), dimensions: length };
            const known = inUse.get(name);
            if (known?.ref.id === ref.id) {
                known.lastUsed = now();
                return { ref: known.ref, state: "in use" };
            }
            if (known) remove(name, "invalidated");
            const isFree = hasRoom(length) || findReplaceable(pool) !== undefined;
            return { ref, state: isFree ? "free" : "full" };
        },
        use: (pool, ref) => {
            const name = nameOf(pool, ref.dimensions);
            const id = inUse.get(name)?.ref.id;
            // Its entries may have been invalidated since the lookup.
            if (id === ref.id || idOf(pool, ref.dimensions) !== ref.id) return id === ref.id;
            if (id !== undefined) remove(name, "invalidated");
            while (!hasRoom(ref.dimensions)) {
                const replaceable = findReplaceable(pool);
                if (replaceable === undefined) return false;
                remove(replaceable, "replaced");
            }
            inUse.set(name, { tenant: pool, ref, lastUsed: now() });
            onAdded(ref);
            return true;
        },
        all: () => [...inUse.values()],
        removeInvalidated: () => {
            for (const [name, { tenant, ref }] of inUse)
                if (ref.id !== idOf(tenant, ref.dimensions)) remove(name, "invalidated");
        },
    };
}
