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
    /** Whether to delete volumes with their namespaces. Default: false, which rejects a stack with volumes */
    readonly deleteData?: boolean;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
}

export interface Removed {
    readonly count: number;
    /** Objects that stay, each with the reason. */
    readonly left: readonly string[];
}

/**
 * Removes the objects that a stack has created by apply, then its record. Objects without proof of that stay, and so do
 * namespaces with objects of others. Waits until namespaces are deleted, since a deploy into a terminating namespace
 * fails.
 *
 * @returns undefined if the cluster has no record of the stack
 * @throws ClusterError if volumes would be deleted and deleteData is not set
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
            report(`waiting for the deletion of ${keyOf(namespace)}`);
            while (await readIfExists(cluster, namespace)) {
                await delay(500, undefined, { signal });
            }
        }
    }
    await deleteOne(cluster, recordReference(stack));
    // Records of other stacks contain their passwords.
    if ((await appliedStacks(cluster)).length === 0) {
        await deleteOne(cluster, { apiVersion: "v1", kind: "Namespace", name: RECORD_NAMESPACE });
    }
    const shared = [...foreign].map(
        ([name, keys]) => `Namespace ${name} has objects of others: ${keys.sort().join(", ")}`,
    );
    const unproven = others.map((entry) => `${keyOf(entry)} was not provably created by the stack`);
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
