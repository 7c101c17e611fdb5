import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { otherColour, type Colour } from "@property-search/contract";
import { candidateWeights, type Switch } from "../../operations/release/state.ts";
import { totalsOf, type Clients } from "../support/clients/clients.ts";
import type { Second } from "../support/clients/sending.ts";
import { openClient, openCluster } from "../support/cluster.ts";
import { drive, enteredAt, switchOf, type Driver } from "../support/driver.ts";
import { writeEvidence } from "../support/evidence.ts";
import { faultyCandidate, type Fault, type FaultyCandidate } from "../support/faults/candidate.ts";
import { poisonOf, writtenBy, type Written } from "../support/faults/poison.ts";
import { scalePrometheus } from "../support/platform.ts";
import { beginSwitching, setWeights, startUsual, USUAL } from "../support/switching.ts";

/*
 * Builds that are bad, each in its own way, are put on the idle colour and get traffic by the driver. What
 * ends each of them is the evidence that the driver had.
 */

/** A minute at each step, as by default. */
const PLAN =
    "--min-step-seconds 60 --min-requests 400 --step-deadline-seconds 180 --cooldown-seconds 5";
const SAMPLES = 400;
/** Pods of a good build are ready in half a minute; waiting much longer is unnecessary. */
const PHASE_DEADLINE = ["--phase-deadline-seconds", "90"];
const FIRST_SHARE = 0.1;

interface Seen {
    readonly cause: string | undefined;
    readonly by: string | undefined;
    readonly phase: Switch["phase"] | undefined;
    readonly reason: string | undefined;
    /** Seconds since the candidate had answered the required number of requests; NaN: never. */
    readonly detectedAfter: number;
    /** Seconds from then until the clients had the last answer of the candidate. */
    readonly backAfter: number;
    /** Seconds from the candidate's first answer to its last, and what was sent in them to both colours. */
    readonly exposed: number;
    readonly sent: number;
    /** Failed, or late where the fault is to be late. */
    readonly harmed: number;
    readonly failures: Readonly<Record<string, number>>;
}

const cluster = openCluster();
const evidence: Record<string, unknown> = {};
let idle: Colour;
let putBack: () => Promise<void>;
let candidate: FaultyCandidate;
let clients: Clients | undefined;

beforeAll(async () => {
    ({ idle, putBack } = await beginSwitching(cluster));
    await setWeights(cluster, candidateWeights(idle, 0));
    candidate = await faultyCandidate(cluster, idle);
}, 300_000);

afterEach(async () => {
    await clients?.stop();
    clients = undefined;
});

afterAll(async () => {
    await scalePrometheus(cluster, 1);
    await candidate.restore();
    await putBack();
    writeEvidence("switching-candidates", evidence);
}, 480_000);

describe("a candidate is rolled back", () => {
    test("that fails at one request in twenty", async () => {
        const seen = await tried("errors");
        expect(seen).toMatchObject({ cause: "fail", by: "the judge", phase: "observe" });
        expect(seen.reason).toMatch(/errors|requests/);
        heldTo(seen);
        expect(seen.harmed).toBeGreaterThan(0);
    }, 600_000);

    test("that is 200 ms slower", async () => {
        const seen = await tried("slow");
        expect(seen).toMatchObject({ cause: "fail", by: "the judge", phase: "observe" });
        expect(seen.reason).toMatch(/slower|p95/);
        expect(seen.failures).toEqual({});
        heldTo(seen);
        expect(seen.harmed).toBeGreaterThan(0);
    }, 600_000);

    test("that leaks memory", async () => {
        const seen = await tried("leak");
        expect(seen).toMatchObject({ cause: "fail", by: "the judge" });
        expect(seen.reason).toMatch(/memory/);
        expect(seen.failures).toEqual({});
    }, 600_000);

    test("that returns other vectors, before it has any traffic", async () => {
        const seen = await tried("vectors");
        expect(seen).toMatchObject({ cause: "fail", by: "the driver", phase: "smoke" });
        expect(seen.reason).toMatch(/cosine/);
        expect(seen).toMatchObject({ failures: {}, exposed: 0 });
    }, 600_000);

    test("that starts to return other vectors under traffic, none of which the other colour serves", async () => {
        const at = await openClient(cluster);
        let written: readonly Written[] = [];
        const seen = await tried("vectors-later", async (driver) => {
            await driver.waitForLine(/ observe /);
            written = await writtenBy(at, idle, driver.ended);
        });
        expect(seen).toMatchObject({ cause: "fail", by: "the driver", phase: "observe" });
        expect(seen.reason).toMatch(/cosine/);
        expect(seen.failures).toEqual({});
        heldTo(seen);
        const both = { candidate: idle, other: otherColour(idle) };
        const poison = await poisonOf(at, written, both);
        evidence.poison = { written: written.length, ...poison };
        console.info("poison", JSON.stringify(evidence.poison));
        expect(poison.lies).toBeGreaterThan(50);
        expect(poison.found).toBeGreaterThan(0);
        expect(poison).toMatchObject({ served: 0, sources: { MISS: poison.lies } });
    }, 600_000);

    test("that never becomes ready", async () => {
        const seen = await tried("unready");
        expect(seen).toMatchObject({ cause: "deadline", phase: "raise" });
        expect(seen).toMatchObject({ failures: {}, exposed: 0 });
    }, 600_000);
});

describe("a good candidate", () => {
    beforeAll(async () => {
        await candidate.restore();
    }, 300_000);

    test("is rolled back when Prometheus is unavailable", async () => {
        clients = await startUsual(cluster);
        const plan = "--min-step-seconds 15 --step-deadline-seconds 60 --cooldown-seconds 5";
        const driver = drive("switch", "--to", idle, ...plan.split(" "));
        expect(await driver.waitForLine(/ observe /)).toBe(true);
        await scalePrometheus(cluster, 0);
        const { exitCode, output } = await driver.ended;
        const state = await switchOf(cluster);
        await scalePrometheus(cluster, 1);
        const { failures } = totalsOf(await stopClients());
        evidence.prometheusAway = { reason: state.aborted?.reason, failures };
        expect({ exitCode, output }).toMatchObject({ exitCode: 2 });
        expect(state.aborted).toMatchObject({ cause: "inconclusive", phase: "observe" });
        expect(failures).toEqual({});
    }, 360_000);

    test("is rolled back immediately by a forced rollback", async () => {
        // Requests in flight finish where they are: a slow one would be visible for longer.
        clients = await startUsual(cluster, { perSecond: { ...USUAL, slow: 0 } });
        const driver = drive("switch", "--to", idle, ...PLAN.split(" "));
        expect(await driver.waitForLine(/ observe /)).toBe(true);
        const requestedAt = Date.now() / 1000;
        const rollback = drive("rollback", "--force", "--reason", "switching test");
        expect(await rollback.waitForLine(/all traffic to/)).toBe(true);
        const completedAt = Date.now() / 1000;
        const brake = await rollback.ended;
        const [, seconds] = /after ([\d.]+) s/.exec(brake.output) ?? [];
        await driver.ended;
        const all = await stopClients();
        const last = lastOf(all, idle);
        const { failures } = totalsOf(all);
        evidence.brake = {
            routeAfter: Number(seconds),
            commandTook: completedAt - requestedAt,
            lastAnswerAfter: last - completedAt,
            failures,
        };
        expect(brake).toMatchObject({ exitCode: 0 });
        expect(Number(seconds)).toBeLessThanOrEqual(2);
        expect(failures).toEqual({});
    }, 360_000);
});

/** The limits of detection, of the way back, and of harm: no more than the first step's share, and no longer. */
function heldTo({ detectedAfter, backAfter, harmed, sent }: Seen): void {
    expect(detectedAfter).toBeLessThanOrEqual(60);
    expect(backAfter).toBeLessThanOrEqual(10);
    expect(harmed).toBeLessThanOrEqual(FIRST_SHARE * sent);
}

/** Puts a bad build on the idle colour, and has it get traffic. */
async function tried(fault: Fault, during?: (driver: Driver) => Promise<void>): Promise<Seen> {
    const version = await candidate.deploy(fault);
    clients = await startUsual(cluster);
    const started = Date.now() / 1000;
    const reason = ["--reason", `a build with ${fault}`];
    const driver = drive("switch", "--to", idle, ...PLAN.split(" "), ...PHASE_DEADLINE, ...reason);
    await during?.(driver);
    const { exitCode, output } = await driver.ended;
    expect({ exitCode, output }).toMatchObject({ exitCode: 2 });
    const state = await switchOf(cluster);
    expect(state).toMatchObject({ phase: "rolled-back", to: idle });
    expect(state.versions[idle]).toBe(version);
    const seen = await seenOf(state, fault, started);
    evidence[fault] = seen;
    console.info(fault, JSON.stringify(seen));
    return seen;
}

async function seenOf(state: Switch, fault: Fault, started: number): Promise<Seen> {
    const all = await stopClients();
    const last = lastOf(all, idle);
    const first = all.find(({ answered }) => answered[idle] > 0)?.at ?? NaN;
    const isExposed = !Number.isNaN(first);
    const enough = enoughAt(all, state);
    const ended = enteredAt(state, "abort");
    const during = totalsOf(all, isExposed ? first : started, isExposed ? last : Infinity);
    const { late, failed, failures } = totalsOf(all, started);
    return {
        cause: state.aborted?.cause,
        by: state.aborted?.by,
        phase: state.aborted?.phase,
        reason: state.aborted?.reason,
        detectedAfter: ended - enough,
        backAfter: last - ended,
        exposed: isExposed ? last - first : 0,
        sent: during.sent,
        harmed: failed + (fault === "slow" ? late[idle] : 0),
        failures,
    };
}

/** When the candidate had answered the samples of the step in which it was ended. */
function enoughAt(seconds: readonly Second[], { steps }: Switch): number {
    const since = (steps.at(-1)?.shiftedAt ?? NaN) / 1000;
    let sum = 0;
    for (const { at, answered } of seconds) {
        if (at < since) continue;
        sum += answered[idle];
        if (sum >= SAMPLES) return at + 1;
    }
    return NaN;
}

/** End of the last second in which a colour has answered. */
function lastOf(seconds: readonly Second[], colour: Colour): number {
    return (seconds.findLast(({ answered }) => answered[colour] > 0)?.at ?? NaN) + 1;
}

async function stopClients(): Promise<readonly Second[]> {
    const seconds = (await clients?.stop()) ?? [];
    clients = undefined;
    return seconds;
}
