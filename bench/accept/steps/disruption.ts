import { readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";

import { stackConfigFile } from "../../../operations/deploy/pulumi/workspace.ts";
import type { Cluster } from "../../../operations/cluster/connect.ts";
import { seededRandom } from "../../shared/random.ts";
import type { LoadReport } from "../../load/run.ts";
import { holds, type Finding } from "../criteria.ts";
import { activeColour, idleColour, killPods, shift, type Death, type Shift } from "../disturb.ts";
import type { Step, StepContext } from "../step.ts";
import { judgeErrors, sendUsers, withoutSeconds } from "./users.ts";

const MINUTES = [1, 10] as const;
/** A switch of two steps takes about as long. */
const SWITCH_SECONDS = 90;
const PAUSE_SECONDS = 25;
const PLAN =
    "--steps 10,50,100 --min-step-seconds 15 --min-requests 200 --bake-seconds 0 --cooldown-seconds 0";
const QUICK_PLAN = PLAN.replace("10,50,100", "50,100");

export const disruption: Step = {
    name: "disruption",
    title: "1,100 users while colours switch and pods die",
    minutes: [4, 13],
    run: async (context) => {
        const { quick, signal } = context;
        const { cluster } = await context.findPlatform();
        const minutes = MINUTES[quick ? 0 : 1];
        const active = await activeColour(cluster);
        const file = stackConfigFile("local");
        const before = readFileSync(file, "utf8");
        let disturbed: Promise<Disturbed> | undefined;
        try {
            const report = await sendUsers(context, minutes, {
                name: "disruption",
                onPhase: () => {
                    disturbed = disturb(cluster, minutes * 60, context);
                    // It is awaited below.
                    disturbed.catch(() => undefined);
                },
            });
            const found = await disturbed;
            signal.throwIfAborted();
            const findings = found ? judgeDisruption(report, found) : {};
            return { findings, data: { report: withoutSeconds(report), ...found } };
        } finally {
            await disturbed?.catch(() => undefined);
            // The next one finds the traffic where it was.
            if ((await activeColour(cluster)) !== active)
                await shift(
                    cluster,
                    performance.now(),
                    ["switch", "--to", active, ...PLAN.split(" ")],
                    context.report,
                );
            writeFileSync(file, before);
        }
    },
};

export interface Disturbed {
    readonly shifts: readonly Shift[];
    readonly deaths: readonly Death[];
}

/** Switches back and forth while pods die, and returns the traffic once, in the time of the load. */
async function disturb(
    cluster: Cluster,
    seconds: number,
    { quick, report, signal }: StepContext,
): Promise<Disturbed> {
    const begun = performance.now();
    const left = () => seconds - (performance.now() - begun) / 1000;
    const ended = new AbortController();
    signal.addEventListener("abort", () => ended.abort());
    const killing = killPods(cluster, seededRandom(22), quick ? 10 : PAUSE_SECONDS, {
        signal: ended.signal,
        report,
    });
    const shifts: Shift[] = [];
    const plan = (quick ? QUICK_PLAN : PLAN).split(" ");
    const run = async (...command: string[]) =>
        shifts.push(await shift(cluster, begun, command, report));
    try {
        do {
            await run("switch", "--to", await idleColour(cluster), ...plan);
        } while (!signal.aborted && left() > 2 * SWITCH_SECONDS);
        if (!signal.aborted) await run("rollback");
    } finally {
        // In the last seconds of the load, pods may still come back.
        if (left() > 20 && !signal.aborted)
            await once(
                AbortSignal.any([signal, AbortSignal.timeout((left() - 20) * 1000)]),
                "abort",
            );
        ended.abort();
    }
    return { shifts, deaths: await killing };
}

export function judgeDisruption(
    report: Pick<LoadReport, "phases">,
    { shifts, deaths }: Disturbed,
): Record<string, Finding> {
    const [phase] = report.phases;
    if (!phase) return {};
    const errors = judgeErrors(phase);
    const switches = shifts.filter(({ command }) => command.startsWith("switch"));
    const rollbacks = shifts.filter(({ command }) => command.startsWith("rollback"));
    const killed = deaths.filter(({ how }) => how === "killed").length;
    const workload = `${phase.workload}; ${switches.length} switches, ${rollbacks.length} rollbacks, ${killed} pods killed, ${deaths.length - killed} deleted`;
    const describe = (all: readonly Shift[]) =>
        all
            .map(
                ({ exitCode, seconds, weights }) =>
                    `${weights} after ${seconds.toFixed(0)} s (exit code ${exitCode ?? "none"})`,
            )
            .join(", ");
    const judgeShifts = (all: readonly Shift[]): Finding => ({
        measured: describe(all) || "none ran",
        workload,
        verdict:
            all.length === 0 ? "not measured" : holds(all.every(({ exitCode }) => exitCode === 0)),
    });
    // Without a disturbance, it would be the load of before.
    const isDisturbed = switches.length > 0 && deaths.length > 0;
    return {
        downtime: {
            ...errors,
            workload,
            verdict: isDisturbed || errors.verdict === "not met" ? errors.verdict : "not measured",
        },
        blueGreen: judgeShifts(switches),
        rollback: judgeShifts(rollbacks),
    };
}
