import type { KubernetesObject, V1Deployment } from "@kubernetes/client-node";
import { NAMESPACES, SERVICE_NAMES, type Colour } from "@property-search/contract";
import { ClusterError, readIfExists, type Cluster } from "../cluster/connect.ts";
import { readActiveColour } from "../gateway/endpoint.ts";
import { disown, disturb } from "../rehearse/disturb.ts";
import { waitUntil } from "../rehearse/wait.ts";
import { deploymentOf } from "./badPod.ts";
import type { Exercise } from "./exercise.ts";

/** KEDA keeps this number of pods, whatever its metrics say. */
const PAUSED = "autoscaling.keda.sh/paused-replicas";
const PODS = 1;

interface ScaledObject extends KubernetesObject {
    readonly spec?: { readonly minReplicaCount?: number };
}

interface Saved {
    readonly colour: Colour;
    readonly minReplicas: number;
}

/** The active colour has one pod, and its autoscaler is paused. */
export const pausedScaling: Exercise = {
    title: "The service has too little capacity: find out why it does not scale",
    situation:
        "Responses are slower than last week. The colour that serves has a single pod, and no more pods come however high the " +
        "load is. Find out what keeps them away, and let the colour scale again.",
    prepare: async ({ cluster }) => {
        const colour = await readActiveColour(cluster);
        const found = await readIfExists<ScaledObject>(cluster, scaledObjectOf(colour));
        if (!found) {
            throw new ClusterError(
                `exercise needs autoscaling.metric keda; ${NAMESPACES[colour]} has no ScaledObject`,
            );
        }
        return { colour, minReplicas: found.spec?.minReplicaCount ?? 2 } satisfies Saved;
    },
    setUp: async ({ cluster, signal }, { colour }: Saved) => {
        await disturb(cluster, scaledObjectOf(colour), ({ metadata }) => {
            if (metadata) metadata.annotations = { ...metadata.annotations, [PAUSED]: `${PODS}` };
        });
        await waitUntil(
            `${colour} has one pod`,
            async () => (await readPods(cluster, colour)) === PODS,
            {
                seconds: 90,
                signal,
            },
        );
    },
    check: async ({ cluster }, { colour, minReplicas }: Saved) => {
        const scaled = await readIfExists<ScaledObject>(cluster, scaledObjectOf(colour));
        if (!scaled) return [`${NAMESPACES[colour]} has no ScaledObject ${SERVICE_NAMES[colour]}`];
        const problems =
            PAUSED in (scaled.metadata?.annotations ?? {})
                ? [`the autoscaler of ${colour} is still paused`]
                : [];
        const pods = await readPods(cluster, colour);
        if (pods < minReplicas)
            problems.push(
                `${colour} has ${pods} available pods, less than its minimum of ${minReplicas}`,
            );
        return problems;
    },
    reset: async ({ cluster, signal }, { colour, minReplicas }: Saved) => {
        await disturb(cluster, scaledObjectOf(colour), ({ metadata }) => {
            if (metadata?.annotations) {
                metadata.annotations = Object.fromEntries(
                    Object.entries(metadata.annotations).filter(([name]) => name !== PAUSED),
                );
            }
        });
        await disown(cluster, scaledObjectOf(colour), (manager) => manager.startsWith("kubectl"));
        const hasPods = async () => (await readPods(cluster, colour)) >= minReplicas;
        await waitUntil(`${colour} has ${minReplicas} pods`, hasPods, { seconds: 180, signal });
    },
};

function scaledObjectOf(colour: Colour) {
    return {
        apiVersion: "keda.sh/v1alpha1",
        kind: "ScaledObject",
        namespace: NAMESPACES[colour],
        name: SERVICE_NAMES[colour],
    };
}

async function readPods(cluster: Cluster, colour: Colour): Promise<number> {
    const { status } = await cluster.objects.read<V1Deployment>(deploymentOf(colour));
    return status?.availableReplicas ?? 0;
}
