import { RELEASE } from "@property-search/contract";
import {
    readIfExists,
    statusOf,
    type Cluster,
    type Manifest,
    type ObjectReference,
} from "../cluster/connect.ts";

/**
 * The Kubernetes client as the driver uses it, with force; tests replace it with an in-memory one. Every write is based on
 * a version of the object, and the API server rejects a write based on an older version with 409.
 */
export interface Api {
    /** @returns undefined if the object or its kind does not exist */
    readonly read: <T extends Manifest>(reference: ObjectReference) => Promise<T | undefined>;
    readonly create: <T extends Manifest>(object: T) => Promise<T>;
    /** Replaces the whole object. */
    readonly replace: <T extends Manifest>(object: T) => Promise<T>;
    /**
     * Server-side apply: the driver owns exactly the fields of this object, and relinquishes those of earlier applies.
     */
    readonly apply: <T extends Manifest>(object: T) => Promise<T>;
}

export function clusterApi(cluster: Cluster): Api {
    const { objects } = cluster;
    const { fieldManager } = RELEASE;
    return {
        read: (reference) => readIfExists(cluster, reference),
        create: (object) => objects.create(object, { fieldManager }),
        replace: (object) => objects.replace(object, { fieldManager }),
        apply: (object) => objects.apply(object, { fieldManager, force: true }),
    };
}

/** Whether another client changed or created the object (409), or deleted it since it was read (404). */
export function isConflict(error: unknown): boolean {
    return [404, 409].includes(statusOf(error) ?? 0);
}

const MAX_WRITES = 20;

/**
 * Repeats a read-modify-write after a conflict: controllers write the status of the same objects, and each write is a
 * new version.
 */
export async function retryOnConflict<T>(once: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await once();
        } catch (error) {
            if (!isConflict(error) || attempt === MAX_WRITES) throw error;
        }
    }
}
