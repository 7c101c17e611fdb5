import type { Colour } from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";
import { deploymentOf, type TestCluster } from "./cluster.ts";

export interface ReplicaChange {
    /** Unix time in seconds. */
    readonly at: number;
    /** Desired replicas from then on. */
    readonly replicas: number;
}

export interface ReplicaWatch {
    /** Desired and ready replicas; NaN before the first poll. */
    readonly now: () => number;
    readonly ready: () => number;
    /** Since the watch began, without what was there then. */
    readonly changes: () => readonly ReplicaChange[];
    readonly stop: () => void;
}

const LOOK_MILLISECONDS = 500;

/** Watches the autoscaler's desired replicas of a colour. */
export function watchReplicas(cluster: TestCluster, colour: Colour): ReplicaWatch {
    const changes: ReplicaChange[] = [];
    let now = NaN;
    let ready = NaN;
    let stopped = false;
    void look();

    async function look(): Promise<void> {
        while (!stopped) {
            // A busy API server is polled again.
            const deployment = await deploymentOf(cluster, colour).catch(() => undefined);
            const replicas = deployment?.spec?.replicas;
            if (replicas !== undefined) {
                if (!Number.isNaN(now) && replicas !== now) {
                    changes.push({ at: Date.now() / 1000, replicas });
                }
                now = replicas;
                ready = deployment?.status?.readyReplicas ?? 0;
            }
            await delay(LOOK_MILLISECONDS);
        }
    }

    return {
        now: () => now,
        ready: () => ready,
        changes: () => changes,
        stop: () => {
            stopped = true;
        },
    };
}
