import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { otherColour, type Colour } from "@property-search/contract";
import { readLiveWeights } from "../../operations/gateway/endpoint.ts";
import { checkShares } from "../../operations/gateway/shares.ts";
import { candidateWeights, type Switch } from "../../operations/release/state.ts";
import { totalsOf, type Clients } from "../support/clients/clients.ts";
import { openCluster } from "../support/cluster.ts";
import { drive, switchOf } from "../support/driver.ts";
import { writeEvidence } from "../support/evidence.ts";
import { startPodKiller, type PodKiller } from "../support/podKiller.ts";
import { activeColour, beginSwitching, startUsual } from "../support/switching.ts";

/*
 * Ten switches there and back while Redis and pods are killed at random, and drivers too. `SWITCHES` and
 * `REQUESTS` make it shorter.
 */

const SWITCHES = Number(process.env.SWITCHES ?? 20);
const REQUESTS = Number(process.env.REQUESTS ?? 1_000_000);
const PER_SECOND = 1000;
/** Of a candidate whose pods are killed, the judge may rightly think that they die. */
const MOST_TRIES = 2 * SWITCHES;
/** Weights need not be seen in the answers of seconds in which a pod is dead and its requests go elsewhere. */
const AFTER_KILL_SECONDS = 6;
/** Delay of a slow request that was sent before a shift, answered by the colour that received it. */
const AFTER_SHIFT_SECONDS = 5;

const PLAN =
    "--min-step-seconds 15 --min-requests 400 --bake-seconds 15 --max-restarts 20 " +
    "--step-deadline-seconds 240 --phase-deadline-seconds 240";
/** Phases at whose start a driver is killed and another one resumes. */
const KILLED_AT = ["raise", "smoke", "shift", "accept", "measure", "observe", "bake", "finalize"];

interface Made {
    readonly id: string;
    readonly to: Colour;
    readonly end: Switch["phase"];
    readonly why: string | undefined;
    readonly seconds: number;
    readonly driverKilledAt: string | undefined;
    readonly steps: readonly StepSeen[];
}

interface StepSeen {
    readonly weight: number;
    readonly seconds: number;
    /** By the driver's own 2,000 requests. */
    readonly shares: string;
    /** By the clients' answers while the step was watched, without seconds after a kill. */
    readonly ofClients: string;
    readonly holds: boolean;
}

const cluster = openCluster();
const measurements: Made[] = [];
let clients: Clients;
let killer: PodKiller;
let putBack: () => Promise<void>;

beforeAll(async () => {
    ({ putBack } = await beginSwitching(cluster));
}, 300_000);

afterAll(async () => {
    await putBack();
});

describe("while pods and Redis are killed at random under a thousand requests/s", () => {
    test("the traffic is switched back and forth repeatedly", async () => {
        clients = await startUsual(cluster, { maxSeconds: 7200, maxRequests: 8_000_000 });
        killer = startPodKiller(cluster, 30);
        try {
            for (let tries = 0; tries < MOST_TRIES && promoted() < SWITCHES; tries += 1) {
                const to = otherColour(activeColour(await readLiveWeights(cluster)));
                const one = await switchTo(to, KILLED_AT[measurements.length - 1]);
                measurements.push(one);
                console.info(JSON.stringify(one));
            }
        } finally {
            const kept = await Promise.allSettled([killer.stop(), clients.stop()]);
            writeEvidence("switching", evidence());
            for (const one of kept) if (one.status === "rejected") throw one.reason;
        }
        expect(promoted()).toBe(SWITCHES);
    }, 7_200_000);

    test("no request fails", () => {
        const { answered, failures, slow } = totalsOf(clients.seconds());
        expect(failures).toEqual({});
        expect(answered.blue + answered.green).toBeGreaterThanOrEqual(REQUESTS);
        expect(slow).toBeGreaterThan(0);
    });

    test("of a thousand a second", () => {
        const { answered, seconds } = totalsOf(clients.seconds());
        expect((answered.blue + answered.green) / seconds).toBeGreaterThanOrEqual(PER_SECOND);
    });

    test("and at each step the shares are those of the weights", () => {
        const steps = measurements.flatMap((one) => (one.end === "promoted" ? one.steps : []));
        expect(steps.length).toBeGreaterThanOrEqual(SWITCHES * 3);
        expect(steps.filter(({ holds }) => !holds)).toEqual([]);
    });
});

function promoted(): number {
    return measurements.filter(({ end }) => end === "promoted").length;
}

/** One switch, by one driver, or by two when the first is killed. */
async function switchTo(to: Colour, killedAt: string | undefined): Promise<Made> {
    const driver = drive("switch", "--to", to, "--reason", "switching test", ...PLAN.split(" "));
    if (killedAt !== undefined && (await driver.waitForLine(new RegExp(`  ${killedAt} `))))
        driver.kill();
    let ended = await driver.ended;
    if (ended.exitCode === null) {
        ended = await drive("switch", "--to", to, ...PLAN.split(" ")).ended;
        expect(ended.output).toContain("resuming switch");
    }
    // 2 is a way back, which may be right while pods are killed; anything else is a fault of the driver.
    if (ended.exitCode !== 0 && ended.exitCode !== 2) throw new Error(ended.output);
    const state = await switchOf(cluster);
    if (state.aborted?.phase === "preflight") throw new Error(ended.output);
    return {
        id: state.id,
        to,
        end: state.phase,
        why: state.aborted?.reason,
        seconds: (state.phaseSince - state.startedAt) / 1000,
        driverKilledAt: killedAt,
        steps: stepsOf(state),
    };
}

function stepsOf(state: Switch): StepSeen[] {
    return state.steps.map((step) => {
        const { weight, shares = "none", shiftedAt } = step;
        const from = shiftedAt / 1000;
        const to =
            (state.log.find(({ at, phase }) => at > shiftedAt && isNext(phase))?.at ?? 0) / 1000;
        const dead = killer.kills().map(({ at }) => at);
        const quiet = clients
            .seconds()
            .filter(
                ({ at }) => !dead.some((kill) => at >= kill - 1 && at < kill + AFTER_KILL_SECONDS),
            );
        const { answered } = totalsOf(quiet, from + AFTER_SHIFT_SECONDS, to);
        const { matches, text } = checkShares(answered, candidateWeights(state.to, weight));
        return { weight, seconds: to - from, shares, ofClients: text, holds: matches };
    });
}

/** What ends the watch of a step. */
function isNext(phase: Switch["phase"]): boolean {
    return phase === "raise" || phase === "finalize" || phase === "abort";
}

function evidence(): object {
    const totals = totalsOf(clients.seconds());
    const { answered, seconds } = totals;
    const kills = killer.kills();
    return {
        switches: promoted(),
        rolledBack: measurements.filter(({ end }) => end !== "promoted").length,
        answered: answered.blue + answered.green,
        failed: totals.failed,
        failures: totals.failures,
        perSecond: (answered.blue + answered.green) / seconds,
        slow: totals.slow,
        late: totals.late,
        worstMilliseconds: totals.worstMilliseconds,
        seconds,
        driversKilled: measurements.filter(({ driverKilledAt }) => driverKilledAt !== undefined)
            .length,
        kills: { blue: count("blue"), green: count("green"), redis: count("redis") },
        slowestReplacement: Math.max(0, ...kills.map(({ backAfter }) => backAfter)),
        steps: measurements.flatMap((one) => one.steps).length,
        plan: PLAN,
        made: measurements,
    };

    function count(what: string): number {
        return kills.filter((kill) => kill.what === what).length;
    }
}
