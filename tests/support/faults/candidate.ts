import type { V1ConfigMap, V1Deployment, V1EnvVar } from "@kubernetes/client-node";
import { LABELS, NAMESPACES, type Colour } from "@property-search/contract";
import { SERVICE_SETTINGS } from "@property-search/contract/settings";
import { statusOf, FIELD_MANAGER } from "../../../operations/cluster/connect.ts";
import { readFileSync } from "node:fs";
import path from "node:path";
import { deploymentOf, eventually, podsOf, type TestCluster } from "../cluster.ts";
import { ownedBy } from "./owned.ts";

/** Ways in which a build can be bad; preload.mjs implements each. */
export type Fault = "errors" | "slow" | "unready" | "leak" | "vectors" | "vectors-later";

export interface FaultyCandidate {
    /** Puts a bad build on the colour. @returns the version that it says it is */
    readonly deploy: (fault: Fault) => Promise<string>;
    /** Puts the build back that was there, as its deploy would. */
    readonly restore: () => Promise<void>;
}

const FOLDER = "/faults";
const FILE = "preload.mjs";
const NAME = "faults";

/**
 * Has bad builds on a colour, one after the other, as a deploy does: by the same server-side apply as the
 * same field manager, so that the next deploy finds its own fields and nobody else's. Each is the build that
 * is there, changed as it is loaded, with a version of its own.
 */
export async function faultyCandidate(
    cluster: TestCluster,
    colour: Colour,
): Promise<FaultyCandidate> {
    const right = ownedBy<V1Deployment>(await deploymentOf(cluster, colour), FIELD_MANAGER);
    return {
        deploy: async (fault) => {
            await putPreload(cluster, colour);
            await apply(cluster, faulty(right, fault));
            await eventually(
                `${colour} runs "${fault}"`,
                async () =>
                    (fault === "unready" || (await isRolledOut(cluster, colour))) &&
                    (await hasFault(cluster, colour, fault)),
                240,
            );
            return versionOf(fault);
        },
        restore: async () => {
            await apply(cluster, right);
            await eventually(`${colour} is as it was`, () => isRolledOut(cluster, colour), 240);
            const [name, namespace] = [NAME, NAMESPACES[colour]];
            await cluster.objects
                .delete({ apiVersion: "v1", kind: "ConfigMap", namespace, name })
                .catch((error: unknown) => {
                    if (statusOf(error) !== 404) throw error;
                });
        },
    };
}

function versionOf(fault: Fault): string {
    return `bad-${fault}`;
}

async function putPreload(cluster: TestCluster, colour: Colour): Promise<void> {
    const preload = readFileSync(path.join(import.meta.dirname, FILE), "utf8");
    const body: V1ConfigMap = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: NAME, namespace: NAMESPACES[colour] },
        data: { [FILE]: preload },
    };
    await apply(cluster, body);
}

async function apply(cluster: TestCluster, object: V1Deployment | V1ConfigMap): Promise<void> {
    await cluster.objects.apply(object, { fieldManager: FIELD_MANAGER });
}

function faulty(right: V1Deployment, fault: Fault): V1Deployment {
    const version = versionOf(fault);
    const bad = structuredClone(right);
    const template = bad.spec?.template;
    const [container] = template?.spec?.containers ?? [];
    if (!template?.metadata?.labels || !template.spec || !container) {
        throw new Error(`${right.metadata?.name ?? ""} has no pod that its deploy has declared`);
    }
    template.metadata.labels[LABELS.version] = version;
    const more: V1EnvVar[] = [
        { name: SERVICE_SETTINGS.version.env, value: version },
        { name: "NODE_OPTIONS", value: `--import=${FOLDER}/${FILE}` },
        { name: "FAULT", value: fault },
    ];
    const names = more.map(({ name }) => name);
    const others = (container.env ?? []).filter(({ name }) => !names.includes(name));
    container.env = [...others, ...more];
    container.volumeMounts = [
        ...(container.volumeMounts ?? []).filter(({ name }) => name !== NAME),
        { name: NAME, mountPath: FOLDER, readOnly: true },
    ];
    template.spec.volumes = [
        ...(template.spec.volumes ?? []).filter(({ name }) => name !== NAME),
        { name: NAME, configMap: { name: NAME } },
    ];
    return bad;
}

async function isRolledOut(cluster: TestCluster, colour: Colour): Promise<boolean> {
    const { metadata, spec, status } = await deploymentOf(cluster, colour);
    return (
        status?.observedGeneration === metadata?.generation &&
        status?.updatedReplicas === spec?.replicas &&
        status?.replicas === spec?.replicas &&
        status?.availableReplicas === spec?.replicas
    );
}

/** By the word of the pods themselves: a fault that is not in would prove nothing. */
async function hasFault(cluster: TestCluster, colour: Colour, fault: Fault): Promise<boolean> {
    const pods = await podsOf(cluster, colour);
    const bad = pods.filter(
        ({ metadata }) => metadata?.labels?.[LABELS.version] === versionOf(fault),
    );
    const logs = await Promise.all(
        bad.map(({ metadata }) =>
            cluster.objects
                .text(
                    `/api/v1/namespaces/${NAMESPACES[colour]}/pods/${metadata?.name ?? ""}/log?container=service`,
                )
                // A container that has not started has no log.
                .catch(() => ""),
        ),
    );
    return logs.length > 0 && logs.every((log) => log.includes(`Fault "${fault}" is in`));
}
