import { RELEASE } from "@property-search/contract";
import {
    readIfExists,
    statusOf,
    type Cluster,
    type Manifest,
    type ObjectReference,
} from "../cluster/connect.ts";

/**
 * What the driver asks of a cluster, so that a test can have one in memory: the Kubernetes client, as the driver, with
 * force. Every write says which version of the object it is based on; the answer to an older one is 409.
 */
export interface Api {
    /** @returns undefined where there is no such object, or no such kind */
    readonly read: <T extends Manifest>(reference: ObjectReference) => Promise<T | undefined>;
    readonly create: <T extends Manifest>(object: T) => Promise<T>;
    /** Replaces the object whole. */
    readonly replace: <T extends Manifest>(object: T) => Promise<T>;
    /**
     * Server-side apply: the fields given are the driver's alone, those that it gave before and does not give now
     * are not.
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

/** Whether somebody else wrote first: changed or made the object (409), or deleted it since it was read (404). */
export function isConflict(error: unknown): boolean {
    return [404, 409].includes(statusOf(error) ?? 0);
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
            if (!isConflict(error) || attempt === WRITES) throw error;
        }
    }
}
