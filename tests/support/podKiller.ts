import type { V1Pod } from "@kubernetes/client-node";
import { COLOURS, NAMESPACES, type Colour } from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";
import { deploymentOf, eventually, podsOf, type TestCluster } from "./cluster.ts";
import { killAtOnce } from "../../local/src/node/killPod.ts";

export interface Kill {
    /** Unix time in seconds. */
    readonly at: number;
    readonly what: Colour | "redis";
    readonly pod: string;
    /** Seconds until its replacement was ready. */
    readonly backAfter: number;
}

export interface PodKiller {
    readonly kills: () => readonly Kill[];
    /** Stops after the last killed pod has its replacement. @throws the first error */
    readonly stop: () => Promise<void>;
}

const VICTIMS = [...COLOURS, "redis"] as const;

/**
 * Kills random pods of both colours and of Redis with SIGKILL, one at a time: it waits until the replacement is
 * ready. Kubernetes delays restarts of a container that was killed often, so a pod that was killed before is deleted
 * gracefully and replaced.
 *
 * @param pauseSeconds average pause between two kills
 */
export function startPodKiller(cluster: TestCluster, pauseSeconds: number): PodKiller {
    const kills: Kill[] = [];
    const ended = new AbortController();
    const work = killAll();

    async function killAll(): Promise<void> {
        for (;;) {
            const pause = pauseSeconds * (0.5 + Math.random()) * 1000;
            const isOver = await delay(pause, false, { signal: ended.signal }).catch(() => true);
            if (isOver) return;
            const what = VICTIMS[Math.floor(Math.random() * VICTIMS.length)] ?? "redis";
            kills.push(await killOne(cluster, what));
        }
    }

    return {
        kills: () => kills,
        stop: async () => {
            ended.abort();
            await work;
        },
    };
}

async function killOne(cluster: TestCluster, what: Kill["what"]): Promise<Kill> {
    const pods = (await victims(cluster, what)).filter(isReady);
    const pod = pods[Math.floor(Math.random() * pods.length)];
    if (pod === undefined) throw new Error(`${what} has no pod that is ready`);
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    const at = Date.now() / 1000;
    await killAtOnce(pod);
    await eventually(
        `${name} is started again`,
        async () => {
            const [now] = (await victims(cluster, what)).filter(
                ({ metadata }) => metadata?.uid === uid,
            );
            return now === undefined || (restartsOf(now) > restartsOf(pod) && isReady(now));
        },
        120,
    );
    const backAfter = Date.now() / 1000 - at;
    await cluster.objects.delete({ apiVersion: "v1", kind: "Pod", namespace, name });
    await eventually(
        `${name} is replaced`,
        async () => {
            const after = await victims(cluster, what);
            // Not as many as before: the autoscaler may want fewer by now.
            const others = after.filter(({ metadata }) => metadata?.uid !== uid);
            const wanted = await wantedOf(cluster, what);
            return others.length >= wanted && others.every(isReady);
        },
        120,
    );
    return { at, what, pod: name, backAfter };
}

async function victims(cluster: TestCluster, what: Kill["what"]): Promise<V1Pod[]> {
    if (what !== "redis") return podsOf(cluster, what);
    const { items } = await cluster.objects.list<V1Pod>("v1", "Pod", {
        namespace: NAMESPACES.data,
    });
    return items.filter(({ metadata }) => metadata?.name?.startsWith("redis-cluster-"));
}

async function wantedOf(cluster: TestCluster, what: Kill["what"]): Promise<number> {
    if (what === "redis") return 1;
    const { spec } = await deploymentOf(cluster, what);
    return spec?.replicas ?? 1;
}

function restartsOf({ status }: V1Pod): number {
    return status?.containerStatuses?.[0]?.restartCount ?? 0;
}

export function isReady({ metadata, status }: V1Pod): boolean {
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    return metadata?.deletionTimestamp === undefined && ready?.status === "True";
}
