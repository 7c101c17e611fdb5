import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import {
    LABELS,
    NAMESPACES,
    otherColour,
    SERVICE_NAMES,
    type Colour,
} from "@property-search/contract";
import type { Cluster } from "../cluster/connect.ts";
import { readActiveColour } from "../gateway/endpoint.ts";
import { disown, disturb } from "../rehearse/disturb.ts";
import { waitUntil } from "../rehearse/wait.ts";
import type { Exercise } from "./exercise.ts";

interface Saved {
    readonly colour: Colour;
    readonly image: string;
}

const MISSING_TAG = "v0.0.0-missing";
const SET_UP_SECONDS = 60;

export function deploymentOf(colour: Colour) {
    return {
        apiVersion: "apps/v1",
        kind: "Deployment",
        namespace: NAMESPACES[colour],
        name: SERVICE_NAMES[colour],
    };
}

/** A Deployment of the idle colour has an image that does not exist. */
export const badPod: Exercise = {
    title: "Read the platform's state and find the bad pod",
    situation:
        "A colleague changed something by hand last night and does not remember what. Clients notice nothing, but the " +
        "next release will not start. Find the pod that is not ready, and the reason, and repair it.",
    prepare: async ({ cluster }) => {
        const colour = otherColour(await readActiveColour(cluster));
        const image = imageOf(await cluster.objects.read<V1Deployment>(deploymentOf(colour)));
        return { colour, image } satisfies Saved;
    },
    setUp: async ({ cluster, signal }, { colour, image }: Saved) => {
        await setImage(cluster, colour, `${image.replace(/[:@][^/]*$/, "")}:${MISSING_TAG}`);
        const isBroken = async () => (await readProblems(cluster, colour)).length > 0;
        await waitUntil("a pod is not ready", isBroken, { seconds: SET_UP_SECONDS, signal });
    },
    check: async ({ cluster }, { colour, image }: Saved) => {
        const deployment = await cluster.objects.read<V1Deployment>(deploymentOf(colour));
        const current = imageOf(deployment);
        return [
            ...(current === image
                ? []
                : [`Deployment ${SERVICE_NAMES[colour]} has the image ${current}, not ${image}`]),
            ...(await readProblems(cluster, colour)),
        ];
    },
    reset: async ({ cluster, signal }, { colour, image }: Saved) => {
        const reference = deploymentOf(colour);
        if (imageOf(await cluster.objects.read<V1Deployment>(reference)) !== image)
            await setImage(cluster, colour, image);
        await disown(cluster, reference, (manager) => manager.startsWith("kubectl"));
        const isReady = async () => (await readProblems(cluster, colour)).length === 0;
        await waitUntil("all pods are ready", isReady, { seconds: 180, signal });
    },
};

function imageOf({ spec }: V1Deployment): string {
    return spec?.template.spec?.containers[0]?.image ?? "";
}

async function setImage(cluster: Cluster, colour: Colour, image: string): Promise<void> {
    await disturb<V1Deployment>(cluster, deploymentOf(colour), ({ spec }) => {
        const container = spec?.template.spec?.containers[0];
        if (container) container.image = image;
    });
}

/** Pods of a colour that are not ready, in words. */
export async function readProblems(cluster: Cluster, colour: Colour): Promise<string[]> {
    const namespace = NAMESPACES[colour];
    const { items } = await cluster.objects.list<V1Pod>("v1", "Pod", {
        namespace,
        labelSelector: `${LABELS.name}=${SERVICE_NAMES[colour]}`,
    });
    const live = items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    const bad = live.filter(
        ({ status }) =>
            !status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    if (live.length === 0) return [`namespace ${namespace} has no pod of ${SERVICE_NAMES[colour]}`];
    return bad.map(({ metadata }) => `pod ${namespace}/${metadata?.name ?? ""} is not ready`);
}
