import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import { COLOURS, LABELS, NAMESPACES, SERVICE_NAMES, type Colour } from "@property-search/contract";
import { connect, type Cluster } from "../../operations/cluster/connect.ts";
import { gatewayUrl } from "../../operations/gateway/endpoint.ts";
import { readStackApiKey } from "../../operations/deploy/pulumi/secret.ts";
import { stackOfCluster } from "../../operations/deploy/binding.ts";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { KUBECONFIG } from "../../local/src/node/start.ts";

/** The cluster that testedCluster.ts chose. */
export interface TestCluster extends Cluster {
    readonly kubeconfig: string;
}

const POLL_MILLISECONDS = 250;

/** @throws when there is no cluster: these tests are never skipped in silence. */
export function openCluster(): TestCluster {
    const kubeconfig = process.env.KUBECONFIG ?? KUBECONFIG;
    if (!existsSync(kubeconfig)) throw new Error(`there is no cluster (${kubeconfig}): make up`);
    return { ...connect(kubeconfig), kubeconfig };
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

/** Where a client of the stack sends requests, and headers by which it is served whatever tenants.anonymous is. */
export interface Client {
    readonly url: string;
    readonly apiKey: string;
    readonly headers: Readonly<Record<string, string>>;
}

/** @throws Error where the stack's API key cannot be read */
export async function openClient(cluster: TestCluster): Promise<Client> {
    const stack = await stackOfCluster(cluster);
    const reasons: string[] = [];
    const report = (line: string) => reasons.push(line);
    const apiKey = await readStackApiKey({ cluster, stack, report });
    if (apiKey === undefined) throw new Error(`no API key to send: ${reasons.join("; ")}`);
    const headers = { authorization: `Bearer ${apiKey}` };
    return { url: await gatewayUrl(cluster), apiKey, headers };
}

/** Pods of a colour that are not on their way out. */
export async function podsOf({ objects }: TestCluster, colour: Colour): Promise<V1Pod[]> {
    const { items } = await objects.list<V1Pod>("v1", "Pod", {
        namespace: NAMESPACES[colour],
        labelSelector: `${LABELS.name}=${SERVICE_NAMES[colour]}`,
    });
    return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

export function deploymentOf({ objects }: TestCluster, colour: Colour): Promise<V1Deployment> {
    return objects.read<V1Deployment>({
        apiVersion: "apps/v1",
        kind: "Deployment",
        name: SERVICE_NAMES[colour],
        namespace: NAMESPACES[colour],
    });
}

/** Waits until every pod of both colours is available. */
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
