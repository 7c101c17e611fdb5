import type { V1Pod, V1ReplicaSet } from "@kubernetes/client-node";
import type { Cluster } from "../../cluster/connect.ts";
import { podProblems } from "../apply/ready.ts";
import type { Workload } from "./workloads.ts";

const REVISION = "deployment.kubernetes.io/revision";

/** Describes pods of workloads that cannot start without a change; for a Deployment, pods of its newest template. */
export async function findStuckPods(
    cluster: Cluster,
    workloads: readonly Workload[],
): Promise<readonly string[]> {
    const byNamespace = Object.entries(Object.groupBy(workloads, ({ namespace }) => namespace));
    const found = await Promise.all(
        byNamespace.map(async ([namespace, all = []]) => {
            const [pods, sets] = await Promise.all([
                cluster.objects.list<V1Pod>("v1", "Pod", { namespace }),
                cluster.objects.list<V1ReplicaSet>("apps/v1", "ReplicaSet", { namespace }),
            ]);
            const owners = all.map((workload) => ownerOf(workload, sets.items));
            return pods.items.filter((pod) => owners.some((owner) => isOwnedBy(owner, pod)));
        }),
    );
    return found
        .flat()
        .flatMap((pod) => podProblems(pod))
        .filter(({ unrecoverable }) => unrecoverable)
        .map(({ text }) => text);
}

interface Owner {
    readonly kind: string;
    readonly name: string;
}

/** Owner of a workload's newest pods: for a Deployment, its newest ReplicaSet. */
function ownerOf(workload: Workload, sets: readonly V1ReplicaSet[]): Owner {
    if (workload.kind !== "Deployment") return workload;
    const newest = sets
        .filter(({ metadata }) => hasOwner(workload, metadata?.ownerReferences))
        .toSorted((a, b) => revisionOf(b) - revisionOf(a))[0];
    return { kind: "ReplicaSet", name: newest?.metadata?.name ?? "" };
}

function revisionOf({ metadata }: V1ReplicaSet): number {
    return Number(metadata?.annotations?.[REVISION] ?? 0);
}

function isOwnedBy(owner: Owner, { metadata }: V1Pod): boolean {
    return hasOwner(owner, metadata?.ownerReferences);
}

function hasOwner({ kind, name }: Owner, references: readonly Owner[] = []): boolean {
    return references.some((one) => one.kind === kind && one.name === name);
}
