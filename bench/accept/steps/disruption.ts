import { otherColour, type Colour } from "@property-search/contract";

import type { Cluster } from "../../../operations/cluster/connect.ts";
import {
    readStackWeights,
    restoreStackWeights,
} from "../../../operations/deploy/configuredWeights.ts";
import { readActiveColour } from "../../../operations/gateway/endpoint.ts";
import { openClient } from "../../../operations/rehearse/client.ts";
import { startTraffic } from "../../../operations/rehearse/traffic.ts";
import { seededRandom } from "../../shared/random.ts";
import type { LoadReport } from "../../load/run.ts";
import { holds, type Finding } from "../criteria.ts";
import { killPods, READY_SECONDS, shift, type Death, type Shift } from "../disturb.ts";
import type { Step, StepContext } from "../step.ts";
import { judgeErrors, sendUsers, withoutSeconds } from "./users.ts";

const MINUTES = [2, 10] as const;
/** The last pods that died come back before the load ends. */
const CALM_SECONDS = 20;
/** Longest time of a switch in three steps and of the rollback after it. */
const SWITCH_SECONDS = 240;
/** While the traffic returns. */
const REQUESTS_PER_SECOND = 40;
const PAUSE_SECONDS = [12, 25] as const;
/** Of a candidate whose pods are killed, the judge may rightly think that they die: it tolerates restarts here. */
const PLAN = [
    ...["--min-step-seconds", "15", "--min-requests", "200", "--bake-seconds", "0"],
    ...["--cooldown-seconds", "0", "--max-restarts", "20"],
    ...["--step-deadline-seconds", "240", "--phase-deadline-seconds", "240"],
];
const STEPS_OF_SWITCH = ["100", "10,50,100"] as const;

export const disruption: Step = {
    name: "disruption",
    title: "1,100 users while colours switch and pods are killed",
    minutes: [4, 13],
    run: async (context) => {
        const { quick, signal } = context;
        const { cluster } = await context.findPlatform();
        const minutes = MINUTES[quick ? 0 : 1];
        const active = await readActiveColour(cluster);
        const configured = await readStackWeights("local");
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
            await returnTraffic(cluster, active, configured, context.report);
        }
    },
};

/**
 * Returns the traffic, so that the next one finds it where it was. A switch is judged by requests, and the load has ended:
 * it has some of its own.
 */
async function returnTraffic(
    cluster: Cluster,
    active: Colour,
    configured: unknown,
    report: (line: string) => void,
): Promise<void> {
    let isBack = true;
    try {
        if ((await readActiveColour(cluster)) === active) return;
        const traffic = await startTraffic({
            client: await openClient(cluster, "local"),
            perSecond: REQUESTS_PER_SECOND,
            maxSeconds: SWITCH_SECONDS,
            run: "accept",
        });
        const command = ["switch", "--to", active, "--steps", "100", ...PLAN];
        const { exitCode, output } = await shift(cluster, performance.now(), command, report);
        await traffic.stop();
        isBack = exitCode === 0;
        if (!isBack) report(`the traffic is not back at ${active}; run make switch:\n${output}`);
    } finally {
        // Also if the cluster has gone. Otherwise the file has the weights that are in force.
        if (isBack) await restoreStackWeights("local", configured);
    }
}

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
    const calm = AbortSignal.timeout((seconds - CALM_SECONDS) * 1000);
    const killing = killPods(cluster, seededRandom(22), PAUSE_SECONDS[quick ? 0 : 1], {
        signal: AbortSignal.any([signal, calm]),
        report,
    });
    const shifts: Shift[] = [];
    const steps = STEPS_OF_SWITCH[quick ? 0 : 1];
    const run = async (...command: string[]) =>
        shifts.push(await shift(cluster, begun, command, report));
    do {
        await run(
            "switch",
            "--to",
            otherColour(await readActiveColour(cluster)),
            "--steps",
            steps,
            ...PLAN,
        );
    } while (!signal.aborted && left() > SWITCH_SECONDS);
    if (!signal.aborted) await run("rollback");
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
    const describe = ({ exitCode, seconds, weights }: Shift) => {
        const end = { 0: "done", 2: "rolled back by the judge" }[exitCode ?? NaN];
        return `${weights} after ${seconds.toFixed(0)} s (${end ?? `exit code ${exitCode ?? "none"}`})`;
    };
    const judgeShifts = (all: readonly Shift[], allowed: readonly number[]): Finding => ({
        measured: all.map(describe).join(", ") || "none ran",
        workload,
        verdict:
            all.length === 0
                ? "not measured"
                : holds(
                      all.some(({ exitCode }) => exitCode === 0) &&
                          all.every(({ exitCode }) => allowed.includes(exitCode ?? NaN)),
                  ),
    });
    // Without a disturbance, it would be the load of before: a switch that failed may have moved nothing.
    const isDisturbed = switches.some(({ exitCode }) => exitCode === 0) && deaths.length > 0;
    const lost = deaths.filter(({ readyAfter }) => readyAfter === null).map(({ pod }) => pod);
    const words = [
        errors.measured,
        ...(isDisturbed ? [] : ["no switch moved all of the traffic while pods died"]),
        ...lost.map((pod) => `no pod in place of ${pod} was ready within ${READY_SECONDS} s`),
    ];
    const verdict = lost.length > 0 ? "not met" : errors.verdict;
    return {
        downtime: {
            measured: words.join("; "),
            workload,
            verdict: isDisturbed || verdict === "not met" ? verdict : "not measured",
        },
        blueGreen: judgeShifts(switches, [0, 2]),
        rollback: judgeShifts(rollbacks, [0]),
    };
}
