import { JOBS, METRICS, NAMESPACES } from "@property-search/contract";
import type { Cluster } from "../cluster/connect.ts";
import { prometheusAccess } from "../cluster/prometheusAccess.ts";
import { readValue } from "../cluster/prometheusApi.ts";
import { openAlertSources, readAlerts } from "../rehearse/alerts.ts";
import { disown } from "../rehearse/disturb.ts";
import { waitUntil } from "../rehearse/wait.ts";
import {
    isSetReady,
    readReplicas,
    REDIS_SET,
    referenceOf,
    scaleSet,
    waitForSet,
} from "../rehearse/workloads.ts";
import type { Exercise } from "./exercise.ts";

interface Saved {
    readonly replicas: number;
}

/** Redis was scaled to zero. */
export const redisGone: Exercise = {
    title: "An alert fires: find its cause with the runbook",
    situation:
        "Your pager says RedisDown. Clients still get answers, but more and more of them are computed again, and that costs " +
        "money. Read the alert's runbook, find the cause, and repair it until the alert has ended.",
    prepare: async ({ cluster }) => {
        const replicas = await readReplicas(cluster, REDIS_SET);
        return { replicas } satisfies Saved;
    },
    setUp: async ({ cluster, signal, report }) => {
        await scaleSet(cluster, REDIS_SET, 0);
        report("waiting for the alert, which takes about a minute and a half");
        await waitUntil(
            "RedisDown fires",
            async () => (await readRedisDown(cluster)) === "firing",
            {
                seconds: 180,
                signal,
            },
        );
    },
    check: async ({ cluster }, { replicas }: Saved) => {
        const declared = await readReplicas(cluster, REDIS_SET);
        if (declared !== replicas) {
            return [
                `StatefulSet ${NAMESPACES.data}/${REDIS_SET.name} has ${declared} replicas, not ${replicas}`,
            ];
        }
        if (!(await isSetReady(cluster, REDIS_SET))) return ["Redis is starting; check again soon"];
        const get = await prometheusAccess(cluster);
        const up = await readValue(get, `min(${METRICS.redisUp}{job="${JOBS.service}"})`);
        const state = await readRedisDown(cluster);
        return [
            ...(up === 1
                ? []
                : ["not every pod of the service reaches Redis yet; check again soon"]),
            ...(state === undefined
                ? []
                : [`RedisDown is still ${state}; it ends within half a minute after the repair`]),
        ];
    },
    reset: async ({ cluster, signal }, { replicas }: Saved) => {
        if ((await readReplicas(cluster, REDIS_SET)) !== replicas)
            await scaleSet(cluster, REDIS_SET, replicas);
        await disown(cluster, referenceOf(REDIS_SET), (manager) => manager.startsWith("kubectl"));
        await waitForSet(cluster, REDIS_SET, { seconds: 120, signal });
    },
};

async function readRedisDown(cluster: Cluster): Promise<string | undefined> {
    const alerts = await readAlerts(await openAlertSources(cluster));
    return alerts.find(({ alert }) => alert === "RedisDown")?.state;
}
