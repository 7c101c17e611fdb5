import { NAMESPACES } from "@property-search/contract";
import { withPrimaries } from "../backup/command.ts";
import { withGoal } from "./evidence.ts";
import type { Rehearsal, RehearsalTarget } from "./rehearsal.ts";
import { REDIS_SET, redisMode, waitForSet } from "./workloads.ts";

const READY_SECONDS = 180;

/** A primary of a Redis Cluster ends, and a replica takes over. */
export const redisFailover: Rehearsal = {
    name: "redis-failover",
    purpose: "A primary of Redis Cluster ends: a replica takes over, and no request fails.",
    precondition: "redis.mode is cluster, and all nodes are ready",
    duration: { whole: 120, quick: 120 },
    alerts: [],
    inapplicable: async ({ cluster }) => {
        const mode = await redisMode(cluster);
        return mode === "cluster" ? undefined : `redis.mode is ${mode}, which has no failover`;
    },
    run: async (context) => {
        const { cluster, traffic, signal } = context;
        await waitForSet(cluster, REDIS_SET, { seconds: READY_SECONDS, signal });
        const [victim, before] = await readPrimaryIds(context);
        const fault = await context.beginFault({});
        await context.step(`kubectl delete pod -n ${NAMESPACES.data} ${victim}`, () =>
            cluster.objects.delete({
                apiVersion: "v1",
                kind: "Pod",
                namespace: NAMESPACES.data,
                name: victim,
            }),
        );
        await waitForSet(cluster, REDIS_SET, { seconds: READY_SECONDS, signal });
        await context.waitFor(
            "all slots have a primary",
            async () => (await readPrimaryIds(context))[1].length === before.length,
            READY_SECONDS,
        );
        context.figure(withGoal("failed requests", "", traffic.failed(), "==", 0));
        context.figure(withGoal("time to recover", "s", (Date.now() - fault) / 1000, "<=", 180));
    },
    putBack: async ({ cluster, signal }) => {
        await waitForSet(cluster, REDIS_SET, { seconds: READY_SECONDS, signal });
    },
};

/** @returns the pod of a primary, and the IDs of all primaries. @throws ClusterError while slots have no primary */
async function readPrimaryIds({
    cluster,
}: RehearsalTarget): Promise<readonly [string, readonly string[]]> {
    let ids: string[] = [];
    let pod = `${REDIS_SET.name}-0`;
    await withPrimaries(cluster, async ({ all }) => {
        ids = await Promise.all(all.map(async ({ client }) => client.cluster("MYID")));
        // A node announces its pod's name.
        const nodes = String(await all[0]?.client.cluster("NODES"));
        const line = nodes.split("\n").find((one) => one.startsWith(ids[0] ?? "-"));
        pod = new RegExp(`${REDIS_SET.name}-\\d+`).exec(line ?? "")?.[0] ?? pod;
    });
    return [pod, ids];
}
