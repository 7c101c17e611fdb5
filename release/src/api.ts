import type { KubernetesObject, V1ObjectMeta } from "@kubernetes/client-node";
import { RELEASE } from "@property-search/contract";
import {
    readIfExists,
    statusOf,
    type Cluster,
    type ObjectReference,
} from "@property-search/deploy";

/** An object as the API server has it. */
export interface Live extends KubernetesObject {
    apiVersion: string;
    kind: string;
    metadata: V1ObjectMeta & { name: string };
}

/** What the driver needs of a cluster. Every write says which version of the object it is based on. */
export interface Api {
    /** @returns undefined where there is no such object, or no such kind */
    readonly read: <T extends Live>(reference: ObjectReference) => Promise<T | undefined>;
    /** @throws Conflict when it exists */
    readonly create: <T extends Live>(object: T) => Promise<T>;
    /** Replaces the object whole. @throws Conflict when its resourceVersion is not the newest, or it is gone */
    readonly replace: <T extends Live>(object: T) => Promise<T>;
    /**
     * Server-side apply as the driver, with force: the fields given are the driver's alone, those that it
     * gave before and does not give now are not. @throws Conflict when its resourceVersion is not the newest
     */
    readonly apply: <T extends Live>(object: T) => Promise<T>;
}

/** Somebody else wrote first: read again, and decide again. */
export class Conflict extends Error {
    override readonly name = "Conflict";
}

const WRITES = 20;

/**
 * Reads, decides and writes again when somebody else wrote meanwhile: controllers write their status into
 * the objects that a driver writes, each time a new version of them.
 */
export async function againOnConflict<T>(once: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await once();
        } catch (error) {
            if (!(error instanceof Conflict) || attempt === WRITES) throw error;
        }
    }
}

export function clusterApi(cluster: Cluster): Api {
    const { objects } = cluster;
    const { fieldManager } = RELEASE;
    return {
        read: (reference) => readIfExists(cluster, reference),
        create: (object) => orConflict(objects.create(object, { fieldManager })),
        replace: (object) => orConflict(objects.replace(object, { fieldManager })),
        apply: (object) => orConflict(objects.apply(object, { fieldManager, force: true })),
    };
}

async function orConflict<T>(write: Promise<KubernetesObject>): Promise<T> {
    try {
        return (await write) as T;
    } catch (error) {
        // 404: deleted since it was read; 409: changed, or made, by somebody else.
        const status = statusOf(error);
        if (status === 409 || status === 404) throw new Conflict(String(error), { cause: error });
        throw error;
    }
}
