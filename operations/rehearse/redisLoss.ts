import { withGoal } from "./evidence.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { readReplicas, REDIS_SET, redisMode, restoreReplicas, scaleSet } from "./workloads.ts";

interface Saved {
    readonly replicas: number;
}

const READY_SECONDS = 120;

/** All of Redis is lost and returns: the service keeps serving. */
export const redisLoss: Rehearsal = {
    name: "redis-loss",
    purpose:
        "All pods of Redis are lost: no request fails, RedisDown fires, and the cache works again after their return.",
    precondition: "the stack runs its own Redis, all of whose pods are ready",
    duration: { whole: 170, quick: 170 },
    alerts: ["RedisDown"],
    inapplicable: async ({ cluster }) =>
        (await redisMode(cluster)) === "external" ? "redis.mode is external" : undefined,
    run: async (context) => {
        const { cluster, traffic, signal } = context;
        const wait = { seconds: READY_SECONDS, signal };
        const replicas = await readReplicas(cluster, REDIS_SET);
        const fault = await context.beginFault({ replicas } satisfies Saved);
        await context.step("remove all pods of Redis", () => scaleSet(cluster, REDIS_SET, 0));
        await context.expectAlert("RedisDown");
        const detected = (Date.now() - fault) / 1000;
        const during = traffic.hitRate(fault);

        const repair = Date.now();
        await context.step(
            `kubectl scale statefulset -n ${REDIS_SET.namespace} ${REDIS_SET.name} --replicas=${replicas}`,
            () => restoreReplicas(cluster, REDIS_SET, replicas, wait),
        );
        context.measure("pods of Redis ready after", "s", (Date.now() - repair) / 1000);
        await context.expectResolved(READY_SECONDS);

        context.figure(withGoal("time to detect", "s", detected, "<=", 150));
        context.figure(withGoal("time to recover", "s", (Date.now() - repair) / 1000, "<=", 90));
        if (during !== undefined) context.measure("hit rate without Redis", "", during);
    },
    putBack: async ({ cluster, signal }, { replicas }: Saved) => {
        await restoreReplicas(cluster, REDIS_SET, replicas, { seconds: READY_SECONDS, signal });
    },
};
