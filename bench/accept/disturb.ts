import { COLOURS, LABELS, NAMESPACES, SERVICE_NAMES, type Colour } from "@property-search/contract";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { killAtOnce } from "../../local/src/node/killPod.ts";
import { messageOf, type Cluster } from "../../operations/cluster/connect.ts";
import { readyPods } from "../../operations/cluster/forward.ts";
import { readLiveWeights } from "../../operations/gateway/endpoint.ts";
import { pick } from "../semantic/random.ts";
import type { Random } from "../shared/random.ts";

/** A pod that died. */
export interface Death {
    /** Seconds since the start. */
    readonly at: number;
    readonly colour: Colour;
    readonly pod: string;
    /** `killed`: SIGKILL to its processes; `deleted`: by Kubernetes, with its grace. */
    readonly how: "killed" | "deleted";
    /** Seconds until the colour had its ready pods again; null: it had not, READY_SECONDS later. */
    readonly readyAfter: number | null;
}

/** A command that shifted traffic. */
export interface Shift {
    readonly at: number;
    readonly command: string;
    /** 0: it ended as requested; 2: the judge rolled it back. */
    readonly exitCode: number | null;
    readonly seconds: number;
    /** Weights afterwards: blue/green. */
    readonly weights: string;
    readonly output: string;
}

const PROGRAM = path.resolve(import.meta.dirname, "../../operations/cli/main.ts");
export const READY_SECONDS = 120;
const POLL_MILLISECONDS = 500;

/**
 * Kills or deletes a random pod of a random colour, one at a time, with a pause in between. A colour with a single ready pod
 * is spared: what dies there is the colour.
 *
 * @param pauseSeconds mean pause
 */
export async function killPods(
    cluster: Cluster,
    random: Random,
    pauseSeconds: number,
    { signal, report }: { readonly signal: AbortSignal; readonly report: (line: string) => void },
): Promise<readonly Death[]> {
    const deaths: Death[] = [];
    const killed = new Set<string>();
    const begun = performance.now();
    for (;;) {
        const pause = pauseSeconds * (0.5 + random()) * 1000;
        if (await delay(pause, false, { signal }).catch(() => true)) return deaths;
        const colour = pick(random, COLOURS);
        const pods = await podsOf(cluster, colour);
        if (pods.length < 2) continue;
        const pod = pick(random, pods);
        const name = pod.metadata?.name ?? "";
        // Kubernetes delays the restarts of a container that was killed often.
        const how = killed.has(name) || random() < 0.5 ? "deleted" : "killed";
        const at = (performance.now() - begun) / 1000;
        report(`${how} ${name}`);
        killed.add(name);
        if (how === "killed") await killAtOnce(pod);
        else
            await cluster.objects.delete({
                apiVersion: "v1",
                kind: "Pod",
                namespace: NAMESPACES[colour],
                name,
            });
        const readyAfter = await waitUntilReady(cluster, colour, pods.length);
        deaths.push({ at, colour, pod: name, how, readyAfter });
    }
}

const podsOf = (cluster: Cluster, colour: Colour) =>
    readyPods(cluster, NAMESPACES[colour], { [LABELS.name]: SERVICE_NAMES[colour] });

/** @param count ready pods before; the autoscaler may want fewer meanwhile */
async function waitUntilReady(
    cluster: Cluster,
    colour: Colour,
    count: number,
): Promise<number | null> {
    const begun = performance.now();
    const seconds = () => (performance.now() - begun) / 1000;
    // Its death shows in the API only after a moment.
    await delay(2000);
    while ((await podsOf(cluster, colour)).length < Math.min(count, 2)) {
        if (seconds() > READY_SECONDS) return null;
        await delay(POLL_MILLISECONDS);
    }
    return seconds();
}

/** Runs a command of `operations` as a user does, and returns how it ended. */
export async function shift(
    cluster: Cluster,
    begun: number,
    command: readonly string[],
    report: (line: string) => void,
): Promise<Shift> {
    const started = performance.now();
    report(command.join(" "));
    const child = spawn(process.execPath, [PROGRAM, ...command], {
        stdio: ["ignore", "pipe", "pipe"],
    });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on("line", (line) => lines.push(line));
    const [exitCode] = (await once(child, "close")) as [number | null];
    const weights = await readLiveWeights(cluster).catch((error: unknown) => messageOf(error));
    return {
        at: (started - begun) / 1000,
        command: command.join(" "),
        exitCode,
        seconds: (performance.now() - started) / 1000,
        weights: typeof weights === "string" ? weights : `${weights.blue}/${weights.green}`,
        output: lines.slice(-25).join("\n"),
    };
}
