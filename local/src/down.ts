/** What of clusters `make down` ends. */
export interface ClusterRemovers {
    /** State folder of a node that belongs to another cache; undefined: there is none. */
    readonly nodeOfAnother: () => Promise<string | undefined>;
    /** Refuses one of another cache. */
    readonly removeNode: () => Promise<void>;
    /** @returns what is left of kind; undefined: there was no cluster of kind's */
    readonly removeKind: () => Promise<string | undefined>;
}

/**
 * Removes this cache's clusters. A node of another cache is an error only if there is no kind cluster to
 * remove.
 *
 * @returns what is left of kind; undefined: there was no cluster of kind's
 */
export async function removeClusters(ends: ClusterRemovers): Promise<string | undefined> {
    const another = await ends.nodeOfAnother();
    if (another === undefined) await ends.removeNode();
    const kind = await ends.removeKind();
    if (another !== undefined && kind === undefined) await ends.removeNode();
    return kind;
}
