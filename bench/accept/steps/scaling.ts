import type { Colour } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { readIfExists, type Cluster, type Manifest } from "../../../operations/cluster/connect.ts";
import { readActiveColour } from "../../../operations/gateway/endpoint.ts";
import { waitUntil } from "../../../operations/rehearse/wait.ts";
import { autoscalersOf } from "../../../operations/shared/autoscalers.ts";
import { runPhase } from "../../load/run.ts";
import { embedRequest } from "../../load/traffic/requests.ts";
import { createArrivals } from "../../load/traffic/sessions.ts";
import { seededRandom } from "../../shared/random.ts";
import { holds, type Finding } from "../criteria.ts";
import { replicasOf, watchReplicas, type ReplicasSeen } from "../replicas.ts";
import type { Step, StepContext } from "../step.ts";

/** New texts per second: several times as many as two pods of the stack `local` are meant to embed. */
const RATE = 40;
const SECONDS = 60;
/** From the start of the burst. */
const LIMIT_SECONDS = 90;
/** What earlier load has added is removed after the autoscaler's five minutes. */
const CALM_SECONDS = 420;
/** A pod that was added in a longer time without a sample at the end may have been missed. */
const UNREAD_SECONDS = 10;

export const scaling: Step = {
    name: "scaling",
    title: "a burst of new texts, for which the autoscaler adds a pod",
    minutes: [1.5, 1.5],
    run: async (context) => {
        const { processes, showProgress, signal } = context;
        const { cluster, target } = await context.findPlatform();
        const colour = await readActiveColour(cluster);
        const most = await readMost(cluster, colour);
        if (most !== undefined) await waitUntilFewer(cluster, colour, most, context);
        const run = randomUUID();
        const random = seededRandom(1);
        let count = 0;
        const next = () => embedRequest(`A home that nobody has described, ${run} ${(count += 1)}`);
        const replicas = watchReplicas(cluster);
        try {
            const phase = {
                ...{ name: "burst", users: 200, objectives: [] },
                workload: `${RATE} new texts per second for ${SECONDS} s`,
                trace: () => createArrivals(random, [{ seconds: SECONDS, rate: RATE }], 200, next),
            };
            const { folder } = processes;
            const begun = performance.now();
            const { summary } = await runPhase(phase, { target, folder, showProgress, signal });
            while (
                replicas.seen()[colour].grownAfter === undefined &&
                performance.now() - begun < LIMIT_SECONDS * 1000
            )
                await delay(1000, undefined, { signal });
            const seen = replicas.seen();
            return {
                findings: { autoscaling: judgeScaling(colour, seen[colour], most, phase.workload) },
                data: { colour, most, seen, summary },
            };
        } finally {
            replicas.stop();
        }
    },
};

/** @throws UserError if earlier load's pods stay */
async function waitUntilFewer(
    cluster: Cluster,
    colour: Colour,
    most: number,
    { showProgress, signal }: StepContext,
): Promise<void> {
    const condition = `${colour} has fewer pods than the ${most} that it may have`;
    const check = async (): Promise<boolean> => {
        const { wanted } = await replicasOf(cluster, colour);
        if (wanted >= most) showProgress(`waiting until ${condition}`);
        return wanted < most;
    };
    await waitUntil(condition, check, { seconds: CALM_SECONDS, signal });
}

/** The largest number of pods that the autoscaler may create. */
async function readMost(cluster: Cluster, colour: Colour): Promise<number | undefined> {
    for (const reference of autoscalersOf(colour)) {
        const scaler = await readIfExists<Manifest & { spec?: Record<string, unknown> }>(
            cluster,
            reference,
        );
        const most = scaler?.spec?.[reference.limit];
        if (typeof most === "number") return most;
    }
    return undefined;
}

/** @param most undefined: the stack has no autoscaler */
export function judgeScaling(
    colour: Colour,
    { first, most: reached, mostReady, grownAfter, lastAfter = 0 }: ReplicasSeen,
    most: number | undefined,
    workload: string,
): Finding {
    const words =
        grownAfter === undefined
            ? `${colour} had ${first} pods, was to have ${reached}, and had ${mostReady} ready`
            : `${colour} went from ${first} to ${mostReady} ready of at most ${most ?? "?"} pods, the first after ${grownAfter.toFixed(0)} s`;
    if (most === undefined)
        return { measured: "the stack has no autoscaler", workload, verdict: "not measured" };
    if (first >= most) {
        const measured = `${colour} had ${first} pods, the most that it may have, before the burst: run it again later`;
        return { measured, workload, verdict: "not measured" };
    }
    if (grownAfter === undefined && lastAfter < LIMIT_SECONDS - UNREAD_SECONDS) {
        const measured = `the pods of ${colour} could only be read until ${lastAfter.toFixed(0)} s after the start`;
        return { measured, workload, verdict: "not measured" };
    }
    return { measured: words, workload, verdict: holds((grownAfter ?? Infinity) <= LIMIT_SECONDS) };
}
