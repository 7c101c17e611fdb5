import { setTimeout as delay } from "node:timers/promises";
import {
    ClusterError,
    deleteIfExists,
    keyOf,
    readIfExists,
    type Cluster,
} from "../../cluster/connect.ts";
import { forEachConcurrently } from "./concurrency.ts";
import { findForeignObjects, listVolumes } from "./foreign.ts";
import { findDeletable } from "./ownership.ts";
import { deleteUnlessUsed, removalPhases } from "./removal.ts";
import { readRecord, recordReference, removeRecordNamespace } from "./record.ts";

export interface RemoveOptions {
    /** Whether to delete volumes with their namespaces. Default: false, which rejects a stack with volumes */
    readonly deleteData?: boolean;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
}

export interface RemovalResult {
    readonly count: number;
    /** Objects that stay, each with the reason. */
    readonly remaining: readonly string[];
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
): Promise<RemovalResult | undefined> {
    const record = await readRecord(cluster, stack);
    if (!record) return undefined;
    const { ours, others } = await findDeletable(cluster, record.inventory, record.createdAt);
    const owned = ours.filter(({ kind }) => kind === "Namespace");
    const foreign = await findForeignObjects(
        cluster,
        owned.map(({ name }) => name),
        record.inventory,
    );
    const namespaces = owned.filter(({ name }) => !foreign.has(name));
    const names = namespaces.map(({ name }) => name);
    if (!deleteData) assertNoData(stack, await listVolumes(cluster, names));

    const isOutsideNamespaces = (namespace: string | undefined) =>
        namespace === undefined || !names.includes(namespace);
    const objects = ours.filter(
        ({ kind, namespace }) => kind !== "Namespace" && isOutsideNamespaces(namespace),
    );
    for (const phase of removalPhases([...objects, ...namespaces])) {
        await forEachConcurrently(phase, (entry) => deleteUnlessUsed(cluster, entry, report));
        for (const namespace of phase.filter(({ kind }) => kind === "Namespace")) {
            report(`waiting for the deletion of ${keyOf(namespace)}`);
            while (await readIfExists(cluster, namespace)) {
                await delay(500, undefined, { signal });
            }
        }
    }
    await deleteIfExists(cluster, recordReference(stack));
    await removeRecordNamespace(cluster);
    const shared = [...foreign].map(
        ([name, keys]) => `Namespace ${name} has objects of others: ${keys.sort().join(", ")}`,
    );
    const unproven = others.map((entry) => `${keyOf(entry)} was not provably created by the stack`);
    return { count: ours.length - foreign.size, remaining: [...shared, ...unproven.sort()] };
}

/** @throws ClusterError */
export function assertNoData(stack: string, volumes: readonly string[]): void {
    if (volumes.length === 0) return;
    throw new ClusterError(
        `stack ${stack} has data that would be lost: volumes ${volumes.join(", ")}. Nothing was removed; ` +
            "DATA=delete removes them too.",
    );
}

/**
 * @param destroyed number of objects that Pulumi has deleted
 * @param removed undefined if the cluster had no record of the stack
 */
export function describeRemoval(
    stack: string,
    context: string,
    destroyed: number,
    removed: RemovalResult | undefined,
): string {
    const count = destroyed + (removed?.count ?? 0);
    if (count > 0) return `Removed ${stack} from ${context}: ${count} objects`;
    if (removed) return `Removed the record of ${stack} from ${context}: it had no more objects`;
    return `${context} has no stack ${stack} that was deployed from this machine`;
}
