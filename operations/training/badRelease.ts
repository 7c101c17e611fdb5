import type { V1Deployment, V1EnvVar } from "@kubernetes/client-node";
import { NAMESPACES, otherColour, SERVICE_NAMES, type Colour } from "@property-search/contract";
import { SERVICE_SETTINGS } from "@property-search/contract/settings";
import { randomUUID } from "node:crypto";
import { readStackWeights, restoreStackWeights } from "../deploy/configuredWeights.ts";
import { readActiveColour, readLiveWeights } from "../gateway/endpoint.ts";
import { embed } from "../gateway/client.ts";
import { openClient } from "../rehearse/client.ts";
import { disturb } from "../rehearse/disturb.ts";
import { requireMake } from "../rehearse/make.ts";
import { startTraffic } from "../rehearse/traffic.ts";
import { waitUntil } from "../rehearse/wait.ts";
import { deploymentOf, readProblems } from "./badPod.ts";
import type { Exercise, ExerciseTarget } from "./exercise.ts";

interface Saved {
    /** Colour that served before the release. */
    readonly good: Colour;
    /** Weights of the stack's config file, into which a switch writes. */
    readonly configured: unknown;
}

const PLAN =
    "--steps 100 --min-step-seconds 5 --min-requests 50 --bake-seconds 0 --cooldown-seconds 0 --share-requests 400";
/** An upstream address without a listener: pods are ready, and requests fail. A switch would reject it. */
const FAULT: readonly V1EnvVar[] = [
    { name: SERVICE_SETTINGS.provider.env, value: "openai" },
    { name: SERVICE_SETTINGS.upstreamUrl.env, value: "http://127.0.0.1:9/v1" },
];

/** A release is complete, and its version fails on texts that are not cached. */
export const badRelease: Exercise = {
    title: "Return the traffic from a bad version",
    situation:
        "A new version was released a minute ago, and all of its checks passed. Since then, clients report errors. Return the traffic to the version that served before.",
    prepare: async ({ cluster, stack }) => {
        const good = await readActiveColour(cluster);
        const configured = await readStackWeights(stack);
        return { good, configured } satisfies Saved;
    },
    setUp: async (target, { good }: Saved) => {
        const { cluster, stack, signal, report } = target;
        const bad = otherColour(good);
        report(`releasing ${bad}, which takes about a minute`);
        const traffic = await startTraffic({
            client: await openClient(cluster, stack),
            perSecond: 30,
            maxSeconds: 300,
            run: randomUUID(),
        });
        try {
            await requireMake(["switch", `TO=${bad}`, `STACK=${stack}`, `PLAN=${PLAN}`], {
                signal,
            });
        } finally {
            await traffic.stop();
        }
        await disturb<V1Deployment>(cluster, deploymentOf(bad), ({ spec }) => {
            const container = spec?.template.spec?.containers[0];
            const names = FAULT.map(({ name }) => name);
            if (container) {
                const others = (container.env ?? []).filter(({ name }) => !names.includes(name));
                container.env = [...others, ...FAULT];
            }
        });
        await waitUntil("new texts fail", async () => !(await isServing(target)), {
            seconds: 180,
            signal,
        });
    },
    check: async (target, { good }: Saved) => {
        const weights = await readLiveWeights(target.cluster);
        return [
            ...(weights[good] === 100
                ? []
                : [`${good} served before the release, and has ${weights[good]} % of the traffic`]),
            ...((await isServing(target)) ? [] : ["requests for new texts fail"]),
        ];
    },
    reset: async ({ cluster, stack, signal, report }, { good, configured }: Saved) => {
        const bad = otherColour(good);
        if ((await readLiveWeights(cluster))[good] !== 100) {
            report("returning the traffic");
            await requireMake(["rollback", `STACK=${stack}`], { signal });
        }
        await disturb<V1Deployment>(cluster, deploymentOf(bad), ({ spec }) => {
            const container = spec?.template.spec?.containers[0];
            if (container) {
                container.env = (container.env ?? []).filter(
                    ({ name, value }) =>
                        !FAULT.some((one) => one.name === name && one.value === value),
                );
            }
        });
        await restoreStackWeights(stack, configured);
        const isReady = async () =>
            (await readProblems(cluster, bad)).length === 0 && (await isRolledOut(cluster, bad));
        const words = `${NAMESPACES[bad]}/${SERVICE_NAMES[bad]} is as before`;
        await waitUntil(words, isReady, { seconds: 240, signal });
        report(
            `the version of ${bad} is repaired; make deploy STACK=${stack} writes its config again`,
        );
    },
};

async function isRolledOut(cluster: ExerciseTarget["cluster"], colour: Colour): Promise<boolean> {
    const { metadata, spec, status } = await cluster.objects.read<V1Deployment>(
        deploymentOf(colour),
    );
    return (
        status?.observedGeneration === metadata?.generation &&
        status?.updatedReplicas === spec?.replicas &&
        status?.replicas === spec?.replicas
    );
}

/** Whether texts that no cache has are answered. */
async function isServing({ cluster, stack }: ExerciseTarget): Promise<boolean> {
    try {
        const client = await openClient(cluster, stack);
        for (let count = 0; count < 5; count += 1) {
            await embed(client, [`Training ${randomUUID()}`]);
        }
        return true;
    } catch {
        return false;
    }
}
