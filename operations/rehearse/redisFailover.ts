import type { V1Pod } from "@kubernetes/client-node";
import path from "node:path";
import { readIfExists, type Cluster } from "../cluster/connect.ts";
import { isLocalCluster } from "./clusterGuard.ts";
import { compareEntries, openSeeds, readEntries, SEEDS } from "./cacheEntries.ts";
import { withGoal } from "./evidence.ts";
import {
    convertToCluster,
    restoreSingleServer,
    saveSingleServer,
    type SingleServer,
} from "./redisConversion.ts";
import { isComplete, openNode, servingPrimaries, type RedisNode } from "./redisNodes.ts";
import type { Rehearsal, RehearsalContext } from "./rehearsal.ts";
import { REDIS_SET, redisMode, waitForSet } from "./workloads.ts";

interface Saved {
    /** Absent: the stack runs a Redis Cluster anyway. */
    readonly single?: SingleServer;
}

const READY_SECONDS = 180;
const TAKE_OVER_SECONDS = 60;

/** A primary of a Redis Cluster is lost, and its replica takes over. */
export const redisFailover: Rehearsal = {
    name: "redis-failover",
    purpose:
        "A primary of Redis Cluster is killed: its replica takes over with all entries, and no request fails.",
    precondition:
        "redis.mode is cluster, and all nodes are ready; the single server of make up is made a cluster, and put back",
    duration: { whole: 360, quick: 360 },
    alerts: [],
    inapplicable: async ({ cluster }) => {
        const mode = await redisMode(cluster);
        const isPossible =
            mode === "cluster" || (mode === "standalone" && (await isLocalCluster(cluster)));
        return isPossible ? undefined : `redis.mode is ${mode}, which has no failover`;
    },
    run: async (context) => {
        const { cluster, stack, traffic, signal, folder } = context;
        const saved: Saved =
            (await redisMode(cluster)) === "cluster"
                ? {}
                : { single: await saveSingleServer(context) };
        await context.save(saved);
        if (saved.single) await convertToCluster(context, saved.single);
        await waitForSet(cluster, REDIS_SET, { seconds: READY_SECONDS, signal });
        const seeds = await openSeeds(cluster, stack);
        await context.step(`cache ${SEEDS} texts`, seeds.cache);
        const before = await backUp(context, path.join(folder, "before.gz"));
        const { victim, replica, observer } = await choosePods(context);

        const fault = await context.beginFault(saved);
        const node = await openNode(cluster, observer);
        try {
            // A node that returns within its cluster-node-timeout keeps its slots.
            await context.step(
                `kubectl delete pod ${victim}, until ${replica.pod ?? ""} has taken over`,
                () =>
                    context.waitFor(
                        "the replica has taken over",
                        async () => {
                            await deletePod(cluster, victim);
                            const primaries = servingPrimaries(await node.nodes());
                            return primaries.some(({ id }) => id === replica.id);
                        },
                        TAKE_OVER_SECONDS,
                    ),
            );
            const takenOver = Date.now();
            const during = traffic.hitRate(fault, takenOver);
            await waitForSet(cluster, REDIS_SET, { seconds: READY_SECONDS, signal });
            await context.waitFor(
                "three primaries have a replica each",
                async () => isComplete(await node.nodes()),
                READY_SECONDS,
            );
            const complete = Date.now();
            const after = await backUp(context, path.join(folder, "after.gz"));
            const { equal, missing } = compareEntries(before, after, fault);
            const hits = await context.step(
                "request the texts at the colour without traffic",
                seeds.readFromRedis,
            );

            context.figure(
                withGoal("replica took over after", "s", (takenOver - fault) / 1000, "<=", 30),
            );
            context.figure(
                withGoal("all nodes back after", "s", (complete - fault) / 1000, "<=", 180),
            );
            context.measure("entries before", "", before.size);
            context.figure(withGoal("entries missing", "", missing, "==", 0));
            context.figure(withGoal("entries equal", "", equal, ">=", SEEDS));
            context.figure(withGoal("hit rate of earlier texts", "", hits, ">=", 0.99));
            if (during !== undefined) context.measure("hit rate until the takeover", "", during);
        } finally {
            await node.close();
        }
    },
    putBack: async (target, { single }: Saved) => {
        if (single) await restoreSingleServer(target, single);
        else
            await waitForSet(target.cluster, REDIS_SET, {
                seconds: READY_SECONDS,
                signal: target.signal,
            });
    },
};

async function backUp({ make, contextWords }: RehearsalContext, file: string) {
    await make("back up, to compare", ["backup", `OUT=${file}`, ...contextWords]);
    return readEntries(file);
}

/** Pod of the primary to kill, its replica, and the pod of another primary, which sees what happens. */
async function choosePods({ cluster, waitFor }: RehearsalContext): Promise<{
    readonly victim: string;
    readonly replica: RedisNode;
    readonly observer: string;
}> {
    const first = await openNode(cluster, `${REDIS_SET.name}-0`);
    try {
        await waitFor(
            "Redis Cluster is complete",
            async () => isComplete(await first.nodes()),
            READY_SECONDS,
        );
        const nodes = await first.nodes();
        const [one, other] = servingPrimaries(nodes);
        const replica = nodes.find(({ primary }) => primary === one?.id);
        if (one?.pod === undefined || other?.pod === undefined || !replica)
            throw new Error("the nodes of Redis Cluster announce no pods");
        return { victim: one.pod, replica, observer: other.pod };
    } finally {
        await first.close();
    }
}

/** Deletes a pod, or its successor, unless it is ending already. */
async function deletePod(cluster: Cluster, name: string): Promise<void> {
    const pod = { apiVersion: "v1", kind: "Pod", namespace: REDIS_SET.namespace, name };
    const found = await readIfExists<V1Pod>(cluster, pod);
    if (!found || found.metadata?.deletionTimestamp !== undefined) return;
    await cluster.objects.delete(pod, { uid: found.metadata?.uid, graceSeconds: 1 });
}
