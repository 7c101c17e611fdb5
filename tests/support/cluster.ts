import {
    AppsV1Api,
    CoreV1Api,
    KubeConfig,
    type V1Deployment,
    type V1Pod,
} from "@kubernetes/client-node";
import { COLOURS, LABELS, NAMESPACES, SERVICE_NAMES, type Colour } from "@property-search/contract";
import { connect, type Cluster } from "@property-search/deploy";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { KUBECONFIG } from "../../local/src/node/start.ts";

/** The cluster that testedCluster.ts chose. */
export interface TestCluster extends Cluster {
    readonly core: CoreV1Api;
    readonly apps: AppsV1Api;
    readonly kubeconfig: string;
}

const POLL_MILLISECONDS = 250;

/** @throws when there is no cluster: these tests are never skipped in silence. */
export function openCluster(): TestCluster {
    const kubeconfig = process.env.KUBECONFIG ?? KUBECONFIG;
    if (!existsSync(kubeconfig)) throw new Error(`there is no cluster (${kubeconfig}): make up`);
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    return {
        ...connect(kubeconfig),
        kubeconfig,
        core: config.makeApiClient(CoreV1Api),
        apps: config.makeApiClient(AppsV1Api),
    };
}

/** Polls until `done` holds; the deadline's error says what was awaited. */
export async function eventually(
    what: string,
    done: () => Promise<boolean>,
    seconds = 90,
): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await done())) {
        if (Date.now() > deadline) throw new Error(`not after ${seconds} s: ${what}`);
        await delay(POLL_MILLISECONDS);
    }
}

/** Pods of a colour that are not on their way out. */
export async function podsOf({ core }: TestCluster, colour: Colour): Promise<V1Pod[]> {
    const labelSelector = `${LABELS.name}=${SERVICE_NAMES[colour]}`;
    const { items } = await core.listNamespacedPod({
        namespace: NAMESPACES[colour],
        labelSelector,
    });
    return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

export function deploymentOf({ apps }: TestCluster, colour: Colour): Promise<V1Deployment> {
    return apps.readNamespacedDeployment({
        name: SERVICE_NAMES[colour],
        namespace: NAMESPACES[colour],
    });
}

/** Every pod of both colours is there and available. */
export async function bothColoursReady(cluster: TestCluster): Promise<void> {
    await eventually("both colours have all their pods available", async () => {
        const deployments = await Promise.all(
            COLOURS.map((colour) => deploymentOf(cluster, colour)),
        );
        return deployments.every(
            ({ spec, status }) =>
                status?.availableReplicas === spec?.replicas && status?.replicas === spec?.replicas,
        );
    });
}
