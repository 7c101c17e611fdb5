import { setTimeout as delay } from "node:timers/promises";
import {
    ClusterError,
    deleteOne,
    keyOf,
    readIfExists,
    type Cluster,
} from "../../cluster/connect.ts";
import { eachOf } from "./concurrency.ts";
import { foreignObjects, volumesIn } from "./foreign.ts";
import { deletableOf } from "./ownership.ts";
import { deleteUnlessUsed, removalPhases } from "./removal.ts";
import { appliedStacks, readRecord, recordReference, RECORD_NAMESPACE } from "./record.ts";

export interface RemoveOptions {
    /** Whether volumes go with their namespaces. Default: false, and a stack that has any is refused */
    readonly deleteData?: boolean;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
}

export interface Removed {
    readonly count: number;
    /** What stays, with the reason, one phrase each. */
    readonly left: readonly string[];
}

/**
 * Removes what a stack that was deployed by apply has created, then its record. An object of which that is not
 * proven stays, and so does a namespace in which somebody else has objects. Waits until namespaces are gone, since
 * a deploy into a namespace that is going away fails.
 *
 * @returns undefined where the cluster has no record of the stack.
 * @throws ClusterError when volumes would go and deleteData is not set.
 */
export async function removeStack(
    cluster: Cluster,
    stack: string,
    { deleteData = false, report, signal }: RemoveOptions,
): Promise<Removed | undefined> {
    const record = await readRecord(cluster, stack);
    if (!record) return undefined;
    const { ours, others } = await deletableOf(cluster, record.inventory, record.since);
    const owned = ours.filter(({ kind }) => kind === "Namespace");
    const foreign = await foreignObjects(
        cluster,
        owned.map(({ name }) => name),
        record.inventory,
    );
    const namespaces = owned.filter(({ name }) => !foreign.has(name));
    const names = namespaces.map(({ name }) => name);
    if (!deleteData) refuseData(stack, await volumesIn(cluster, names));

    const isAlone = (namespace: string | undefined) =>
        namespace === undefined || !names.includes(namespace);
    const objects = ours.filter(
        ({ kind, namespace }) => kind !== "Namespace" && isAlone(namespace),
    );
    for (const phase of removalPhases([...objects, ...namespaces])) {
        await eachOf(phase, (entry) => deleteUnlessUsed(cluster, entry, report));
        for (const namespace of phase.filter(({ kind }) => kind === "Namespace")) {
            report(`waiting for ${keyOf(namespace)} to go`);
            while (await readIfExists(cluster, namespace)) {
                await delay(500, undefined, { signal });
            }
        }
    }
    await deleteOne(cluster, recordReference(stack));
    // Other stacks' records hold their passwords.
    if ((await appliedStacks(cluster)).length === 0) {
        await deleteOne(cluster, { apiVersion: "v1", kind: "Namespace", name: RECORD_NAMESPACE });
    }
    const shared = [...foreign].map(
        ([name, keys]) => `Namespace ${name} has objects of others: ${keys.sort().join(", ")}`,
    );
    const unproven = others.map((entry) => `${keyOf(entry)} was not provably made by the stack`);
    return { count: ours.length - foreign.size, left: [...shared, ...unproven.sort()] };
}

/** @throws ClusterError */
export function refuseData(stack: string, volumes: readonly string[]): void {
    if (volumes.length === 0) return;
    throw new ClusterError(
        `stack ${stack} has data that would be lost: volumes ${volumes.join(", ")}. Nothing was removed; ` +
            "DATA=delete removes them too.",
    );
}
