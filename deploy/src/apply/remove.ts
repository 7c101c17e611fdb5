import { setTimeout as delay } from "node:timers/promises";
import { deleteOne, eachOf } from "./apply.ts";
import { keyOf, readIfExists, type Cluster } from "./cluster.ts";
import { appliedStacks, readRecord, recordReference, RECORD_NAMESPACE } from "./record.ts";

/**
 * Removes a stack that was deployed by apply: every object of its inventory, then its record. Volumes go
 * with their namespaces. Waits until the namespaces are gone, since a deploy into a namespace that is
 * going away fails.
 *
 * @returns the number of objects removed; 0 when the cluster has no record of the stack.
 */
export async function removeStack(
    cluster: Cluster,
    stack: string,
    report: (line: string) => void,
    signal?: AbortSignal,
): Promise<number> {
    const record = await readRecord(cluster, stack);
    if (!record) return 0;
    const namespaces = record.inventory.filter(({ kind }) => kind === "Namespace");
    const others = record.inventory.filter(({ kind }) => kind !== "Namespace");
    await eachOf(
        [...others.filter(({ namespace }) => namespace === undefined), ...namespaces],
        (reference) => deleteOne(cluster, reference),
    );
    for (const namespace of namespaces) {
        report(`waiting for ${keyOf(namespace)} to go`);
        while (await readIfExists(cluster, namespace)) {
            await delay(500, undefined, { signal });
        }
    }
    await deleteOne(cluster, recordReference(stack));
    // Other stacks' records hold their passwords.
    if ((await appliedStacks(cluster)).length === 0) {
        await deleteOne(cluster, { apiVersion: "v1", kind: "Namespace", name: RECORD_NAMESPACE });
    }
    return record.inventory.length;
}
