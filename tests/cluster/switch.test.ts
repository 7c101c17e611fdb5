import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { otherColour, type Colour } from "@property-search/contract";
import { readLiveWeights } from "../../operations/gateway/endpoint.ts";
import { checkShares } from "../../operations/gateway/shares.ts";
import { candidateWeights, type Switch } from "../../operations/release/state.ts";
import { totalsOf, type Clients } from "../support/clients/clients.ts";
import { openCluster } from "../support/cluster.ts";
import { drive, switchOf } from "../support/driver.ts";
import { faultyCandidate, type FaultyCandidate } from "../support/faults/candidate.ts";
import { make } from "../support/makeUp.ts";
import { beginSwitching, QUICK_PLAN, startUsual } from "../support/switching.ts";

/* A sample of what `make test-switching` takes an hour for. */

const PER_SECOND = { kept: 200, fresh: 40, slow: 4 };

const cluster = openCluster();
let idle: Colour;
let clients: Clients;
let putBack: () => Promise<void>;

beforeAll(async () => {
    ({ idle, putBack } = await beginSwitching(cluster));
}, 180_000);

beforeAll(async () => {
    clients = await startUsual(cluster, { perSecond: PER_SECOND });
});

afterAll(async () => {
    await putBack();
});

describe("a switch under load", () => {
    test("ends at 100 %, though its driver is killed twice, another one tries too, and somebody deploys", async () => {
        const start = ["switch", "--to", idle, "--steps", "20,100", ...QUICK_PLAN];
        const first = drive(...start);
        expect(await first.waitForLine(/ accept /)).toBe(true);
        first.kill();
        await first.ended;

        const second = drive(...start);
        expect(await second.waitForLine(/ observe /)).toBe(true);
        const weights = await readLiveWeights(cluster);
        expect(weights).toEqual(candidateWeights(idle, 20));
        // Who looks first: what follows takes longer than a step.
        expect(await drive("pause").ended).toMatchObject({ exitCode: 0 });
        const rival = await drive(...start).ended;
        expect(rival).toMatchObject({ exitCode: 1 });
        expect(rival.output).toMatch(/is driving the release/);
        // By the command that knows what the images of this cluster are called.
        expect(await make("up")).toMatchObject({ exitCode: 0 });
        second.kill();
        await second.ended;
        expect(await readLiveWeights(cluster)).toEqual(weights);

        const third = drive(...start);
        expect(await third.waitForLine(/resuming switch/)).toBe(true);
        expect(await drive("promote").ended).toMatchObject({ exitCode: 0 });
        const { exitCode, output } = await third.ended;
        expect(`${exitCode}: ${output}`).toMatch(/^0: /);
        expect(await readLiveWeights(cluster)).toEqual(candidateWeights(idle, 100));
        const state = await switchOf(cluster);
        expect(state.steps.map(({ weight, verdict }) => ({ weight, verdict }))).toEqual([
            { weight: 20, verdict: "pass" },
            { weight: 100, verdict: "pass" },
        ]);
        expect(sharesOf(state, 20)).toMatchObject({ matches: true });
    }, 300_000);

    test("returns the traffic on request", async () => {
        const { exitCode, output } = await drive("rollback").ended;
        expect(`${exitCode}: ${output}`).toMatch(/^0: /);
        expect(await readLiveWeights(cluster)).toEqual(candidateWeights(idle, 0));
    });

    test("is taken back within two seconds by a forced rollback", async () => {
        const driver = drive("switch", "--to", idle, ...QUICK_PLAN);
        expect(await driver.waitForLine(/ observe /)).toBe(true);
        const { exitCode, output } = await drive("rollback", "--force").ended;
        expect(`${exitCode}: ${output}`).toMatch(/^0: /);
        expect(Number(/after ([\d.]+) s/.exec(output)?.[1])).toBeLessThanOrEqual(2);
        // 1: it found its place taken; 2: it found the switch rolled back already.
        expect([1, 2]).toContain((await driver.ended).exitCode);
        expect(await readLiveWeights(cluster)).toEqual(candidateWeights(idle, 0));
    }, 180_000);

    test("clients notice none of it", async () => {
        const { failures, answered, slow } = totalsOf(await clients.stop());
        expect(failures).toEqual({});
        expect(answered[idle]).toBeGreaterThan(1000);
        expect(answered[otherColour(idle)]).toBeGreaterThan(1000);
        expect(slow).toBeGreaterThan(0);
    });
});

describe("a candidate that fails at one request in twenty", () => {
    let bad: FaultyCandidate;

    beforeAll(async () => {
        bad = await faultyCandidate(cluster, idle);
        await bad.deploy("errors");
        clients = await startUsual(cluster, { perSecond: PER_SECOND });
    }, 300_000);

    afterAll(async () => {
        await bad.restore();
    }, 300_000);

    test("is rolled back by the judge", async () => {
        const { exitCode, output } = await drive("switch", "--to", idle, ...QUICK_PLAN).ended;
        const { answered, failed } = totalsOf(await clients.stop());
        expect(`${exitCode}: ${output}`).toMatch(/^2: /);
        const { aborted } = await switchOf(cluster);
        expect(aborted).toMatchObject({ cause: "fail", by: "the judge", phase: "observe" });
        expect(await readLiveWeights(cluster)).toEqual(candidateWeights(idle, 0));
        expect(failed).toBeGreaterThan(0);
        expect(failed).toBeLessThanOrEqual(0.1 * (answered.blue + answered.green));
    }, 240_000);
});

/** By the clients' answers in a step. */
function sharesOf({ steps, log, to }: Switch, weight: number): ReturnType<typeof checkShares> {
    const from = (steps.find((step) => step.weight === weight)?.shiftedAt ?? NaN) / 1000;
    const next = log.find(({ at, phase }) => at / 1000 > from && phase === "raise")?.at ?? NaN;
    const { answered } = totalsOf(clients.seconds(), from + 1, next / 1000);
    return checkShares(answered, candidateWeights(to, weight));
}
