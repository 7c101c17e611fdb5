import { otherColour } from "@property-search/contract";
import { expect, test } from "@jest/globals";
import type { Context } from "../../release/commands/context.ts";
import { rollback } from "../../release/commands/rollback.ts";
import { start } from "../../release/commands/start.ts";
import { ReleaseError, Superseded } from "../../release/error.ts";
import { requestAction } from "../../release/machine/requestAction.ts";
import { DEFAULT_PLAN } from "../../release/plan.ts";
import type { ActionRequest, Switch } from "../../release/state.ts";
import { all, World, type Behaviour } from "../support/simulatedPlatform.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

/** Short, since a driver is killed at many of its calls. */
const PLAN = { ...DEFAULT_PLAN, minStepSeconds: 8, bakeSeconds: 8, cooldownSeconds: 5 };
const TO_GREEN = { to: "green", plan: PLAN, reason: "", force: false } as const;
const BACK = { force: false, reason: "", plan: PLAN };

/** Checks the invariants after a switch. */
function expectEnded(world: World, state: Switch | undefined): void {
    expect(world.broken).toEqual([]);
    const serving = state?.phase === "promoted" ? state.to : state?.from;
    expect(world.weights()).toEqual(all(serving ?? "blue"));
    expect(world.leftovers()).toEqual([]);
    expect([world.floor("blue"), world.floor("green")]).toEqual([2, 2]);
    if (state?.phase === "promoted" && state.kind === "release") {
        expect(state.steps.map(({ verdict }) => verdict)).toEqual(["pass", "pass", "pass"]);
        expect(state.steps.map(({ weight }) => weight)).toEqual([10, 50, 100]);
    }
    // A rollback promotes no other build.
    const isPromoted = state?.kind === "release" && state.phase === "promoted";
    if (state?.kind === "release") expect(world.trusted.has(state.to)).toBe(isPromoted);
}

function asking({ actor, clock }: Context, what: ActionRequest["action"]): ActionRequest {
    return { action: what, by: actor, at: clock.now(), reason: "" };
}

for (const owner of ["direct", "pulumi"] as const) {
    test(`A good candidate gets all traffic in steps (${owner})`, async () => {
        const world = new World({ owner });
        const state = await world.clock.until(start(world.driver("ann"), TO_GREEN));
        expect(state.phase).toBe("promoted");
        expectEnded(world, state);
        expect(world.config).toEqual(owner === "pulumi" ? all("green") : all("blue"));
        const phases = state.log.map(({ phase }) => phase);
        const step = ["raise", "shift", "accept", "measure", "observe"];
        expect(phases).toEqual([
            "preflight",
            ...["raise", "smoke", ...step.slice(1)],
            ...step,
            ...step.slice(0, -1),
            ...["bake", "finalize", "promoted"],
        ]);
    });

    const faults: Readonly<Record<string, readonly [Partial<Behaviour>, RegExp]>> = {
        "fails at 10 %": [{ looks: () => ["inconclusive", "fail"] }, /fail/],
        "fails at 50 % only": [{ looks: (w) => (w === 50 ? ["fail"] : ["pass"]) }, /fail/],
        "fails when all is there": [{ looks: (w) => (w === 100 ? ["fail"] : ["pass"]) }, /fail/],
        "is inconclusive": [
            { looks: () => ["inconclusive"] },
            /observe did not complete within 600 s: inconclusive/,
        ],
        "gets no pod ready": [
            { podLag: Infinity },
            /raise did not complete within 300 s: green has 2/,
        ],
        "has a build that gets no pod ready": [
            { updated: 0 },
            /raise did not complete within 300 s: green has pods that do not run green-version yet/,
        ],
        "answers wrongly by header": [{ smoke: ["status 500"] }, /status 500/],
        "answers other vectors": [{ differs: true }, /other vectors/],
        "is not taken over by the gateway": [
            { gatewayLag: 1e6 },
            /accept did not complete within 300 s/,
        ],
    };
    for (const [what, [behaviour, reason]] of Object.entries(faults)) {
        test(`A candidate that ${what} is rolled back (${owner})`, async () => {
            const world = new World({ ...behaviour, owner });
            const run = start(world.driver("ann"), TO_GREEN);
            if (what.includes("gateway")) {
                // The fault ends when the traffic has returned.
                setImmediate(() => Object.assign(world.behaviour, { gatewayLag: 1 }));
                Object.assign(world.behaviour, { gatewayLag: 1e6 });
            }
            const state = await world.clock.until(run, 4_000_000);
            expect(state.phase).toBe("rolled-back");
            if (!what.includes("gateway")) expect(state.aborted?.reason).toMatch(reason);
            expectEnded(world, state);
        });
    }

    test(`After a driver is killed at any point, another one completes the switch (${owner})`, async () => {
        const points = await pointsOf(owner);
        expect(points).toBeGreaterThan(150);
        for (const killAt of sampleOf(points)) {
            const world = new World({ owner });
            const first = world.driver("ann", { killAt });
            void start(first, TO_GREEN).catch(() => undefined);
            await world.clock.until(untilKilled(world, first));
            const next = await world.clock.until(start(world.driver("ben"), TO_GREEN));
            // Killed after its last call, it has left nothing to resume.
            const [, last] = await world.clock.until(world.driver("eve").store.history());
            const state = next.phase === "promoted" ? next : last;
            expect({ killAt, phase: state?.phase }).toEqual({ killAt, phase: "promoted" });
            expectEnded(world, state);
        }
    }, 300_000);

    test(`After a driver is killed at any point, another one can roll back the switch (${owner})`, async () => {
        for (const killAt of sampleOf(await pointsOf(owner))) {
            const world = new World({ owner });
            const first = world.driver("ann", { killAt });
            void start(first, TO_GREEN).catch(() => undefined);
            await world.clock.until(untilKilled(world, first));
            const back = rollback(world.driver("ben"), BACK);
            const state = await world.clock.until(back).catch((error: unknown) => error);
            if (state instanceof ReleaseError) {
                // There was no switch yet.
                expect(state.message).toMatch(/nothing to roll back/);
                expect(world.weights()).toEqual(all("blue"));
                continue;
            }
            expect(world.weights()).toEqual(all("blue"));
            expect(world.broken).toEqual([]);
            expect(world.leftovers()).toEqual([]);
        }
    }, 300_000);
}

/** All points in `make test-all`; in `make test` a tenth of them, selected by the seed. */
function sampleOf(points: number): number[] {
    const { numRuns, seed } = propertyRuns(points);
    const step = points / numRuns;
    const first = Math.abs(seed) % Math.max(1, Math.floor(step));
    return Array.from({ length: numRuns }, (_, at) => first + Math.floor(at * step));
}

/** Points at which a driver can be killed in a whole switch. */
async function pointsOf(owner: Behaviour["owner"]): Promise<number> {
    const world = new World({ owner });
    let points = 0;
    const driver = world.driver("ann", { onPoint: (point) => (points = point + 1) });
    await world.clock.until(start(driver, TO_GREEN));
    return points;
}

async function untilKilled(world: World, driver: { isKilled: () => boolean }): Promise<void> {
    while (!driver.isKilled()) await world.clock.sleep(100);
}

test("Of two concurrent drivers one wins, and the other names it", async () => {
    const world = new World();
    const both = Promise.allSettled([
        start(world.driver("ann"), TO_GREEN),
        start(world.driver("ben"), TO_GREEN),
    ]);
    const results = await world.clock.until(both);
    const won = results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const lost = results.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
    expect(won).toHaveLength(1);
    expect(lost).toEqual([
        expect.stringMatching(/Superseded: (ann|ben)\/1 is driving the release/),
    ]);
    expectEnded(world, won[0]);
});

test("A requested rollback is done by the running driver", async () => {
    const world = new World({ looks: () => ["inconclusive"] });
    const first = start(world.driver("ann"), TO_GREEN);
    const ben = world.driver("ben");
    await world.clock.until(reached(world, ben, "observe"));
    const requestedAt = ben.clock.now();
    const [state, same] = await world.clock.until(Promise.all([first, rollback(ben, BACK)]));
    expect(state.aborted).toMatchObject({ cause: "requested", by: "ben" });
    expect(same).toEqual(state);
    const moved = state.log.find(({ phase }) => phase === "cooldown")?.at ?? NaN;
    expect(moved - requestedAt).toBeLessThanOrEqual(2_000);
    expectEnded(world, state);
});

test("A forced rollback bypasses a running driver, which then stops", async () => {
    const world = new World({ looks: () => ["inconclusive"], owner: "pulumi" });
    const first = start(world.driver("ann"), TO_GREEN).catch((error: unknown) => error);
    const ben = world.driver("ben");
    await world.clock.until(reached(world, ben, "observe"));
    const requestedAt = ben.clock.now();
    const braked = rollback(ben, { ...BACK, force: true });
    await world.clock.until(
        (async () => {
            while (world.weights().blue !== 100) await world.clock.sleep(10);
        })(),
    );
    expect(ben.clock.now() - requestedAt).toBeLessThanOrEqual(1_000);
    const state = await world.clock.until(braked);
    expectEnded(world, state);
    expect(await world.clock.until(first)).toBeInstanceOf(Superseded);
    // The config still has 10 %: an update with it is rejected.
    expect(world.config).toEqual({ blue: 90, green: 10 });
    expect(world.route().metadata.managedFields?.map(({ manager }) => manager)).toContain(
        "property-search-release",
    );
});

test("A promoted switch can be rolled back in one step", async () => {
    const world = new World();
    await world.clock.until(start(world.driver("ann"), TO_GREEN));
    const state = await world.clock.until(rollback(world.driver("ben"), BACK));
    expect(state).toMatchObject({ kind: "rollback", to: "blue", phase: "promoted" });
    expect(world.weights()).toEqual(all("blue"));
    expect(world.broken).toEqual([]);
    expect(world.leftovers()).toEqual([]);
});

test("A paused switch keeps its step, and resumes when it is promoted", async () => {
    const world = new World({ looks: () => ["pass"] });
    const first = start(world.driver("ann"), TO_GREEN);
    const ben = world.driver("ben");
    await world.clock.until(reached(world, ben, "observe"));
    await world.clock.until(requestAction(ben.store, asking(ben, "pause")));
    await world.clock.until(world.clock.sleep(1_000_000));
    expect(world.weights()).toEqual({ blue: 90, green: 10 });
    await world.clock.until(requestAction(ben.store, asking(ben, "promote")));
    expectEnded(world, await world.clock.until(first));
});

test("A paused switch that fails is rolled back, and so is one that is never promoted", async () => {
    let verdict: "pass" | "fail" = "pass";
    const world = new World({ looks: () => [verdict] });
    const first = start(world.driver("ann"), TO_GREEN);
    const ben = world.driver("ben");
    await world.clock.until(reached(world, ben, "observe"));
    await world.clock.until(requestAction(ben.store, asking(ben, "pause")));
    verdict = "fail";
    const failed = await world.clock.until(first);
    expect(failed.aborted?.cause).toBe("fail");
    expectEnded(world, failed);

    verdict = "pass";
    const again = start(world.driver("ann"), TO_GREEN);
    await world.clock.until(reached(world, ben, "observe"));
    await world.clock.until(requestAction(ben.store, asking(ben, "pause")));
    const forgotten = await world.clock.until(again);
    expect(forgotten.aborted?.reason).toBe("paused for longer than 3600 s");
    expectEnded(world, forgotten);
});

test("A switch that cannot succeed is rejected before anything is changed", async () => {
    const world = new World({ start: "green" });
    const state = await world.clock.until(start(world.driver("ann"), TO_GREEN));
    expect(state.phase).toBe("rolled-back");
    expect(state.aborted?.reason).toMatch(/green has 100 % of the traffic already/);
    expect(world.weights()).toEqual(all("green"));
    expect(world.onTrial.size).toBe(0);
});

test("Without an accepted API key a release changes nothing, and a rollback returns the traffic", async () => {
    const world = new World();
    await world.clock.until(start(world.driver("ann"), TO_GREEN));
    Object.assign(world.behaviour, { keyProblem: "it requires one", smoke: ["answered 401"] });
    const back = await world.clock.until(rollback(world.driver("ben"), BACK));
    expect(back).toMatchObject({ kind: "rollback", phase: "promoted" });
    expect(world.weights()).toEqual(all("blue"));
    world.onTrial.clear();
    const rival = await world.clock.until(start(world.driver("eve"), TO_GREEN));
    expect(rival.aborted).toMatchObject({
        phase: "preflight",
        reason: "the candidate cannot be checked: it requires one",
    });
    expect(world.weights()).toEqual(all("blue"));
    expect(world.onTrial.size).toBe(0);
});

test("A switch to the other colour does not start during another one", async () => {
    const world = new World({ looks: () => ["inconclusive"] });
    const first = start(world.driver("ann"), TO_GREEN);
    const ben = world.driver("ben");
    await world.clock.until(reached(world, ben, "observe"));
    const other = start(ben, { ...TO_GREEN, to: otherColour("green") });
    await expect(world.clock.until(other)).rejects.toThrow(
        "a switch to green is in progress (observe, started by ann): end it first with promote or rollback",
    );
    await world.clock.until(first);
});

test("A switch does not start if the program rejects the stack's config", async () => {
    const world = new World({ owner: "pulumi" });
    world.ownerFails = "rejected";
    const state = await world.clock.until(start(world.driver("ann"), TO_GREEN));
    expect(state.aborted).toMatchObject({ by: "preflight", phase: "preflight" });
    expect(state.aborted?.reason).toBe("no update of the stack can succeed: x is wrong");
    expect(world.updates).toBe(0);
    expect(world.weights()).toEqual(all("blue"));
});

test.each(["raise", "observe"] as const)(
    "A config that is rejected from %s on ends the switch at once, and the traffic goes back past it",
    async (phase) => {
        const world = new World({ owner: "pulumi" });
        const ann = world.driver("ann");
        const run = start(ann, TO_GREEN);
        await world.clock.until(reached(world, ann, phase));
        world.ownerFails = "rejected";
        const state = await world.clock.until(run);
        expect(state.aborted).toMatchObject({
            cause: "fail",
            phase: "shift",
            reason: "x is wrong",
        });
        expect(state.log.map(({ message }) => message)).toContainEqual(
            "all traffic returns to blue, past the owner of the weights: x is wrong",
        );
        // The earlier updates, the rejected one, and that of the rollback.
        expect(world.updates).toBeLessThanOrEqual(4);
        expect(world.config).toEqual(all("blue"));
        expectEnded(world, state);
    },
);

test("A rollback bypasses an owner that cannot set the weights by the deadline", async () => {
    const world = new World({ owner: "pulumi" });
    const ann = world.driver("ann");
    const run = start(ann, TO_GREEN);
    await world.clock.until(reached(world, ann, "observe"));
    world.ownerFails = "somehow";
    await world.clock.until(requestAction(world.driver("ben").store, asking(ann, "rollback")));
    const begun = world.clock.now();
    const state = await world.clock.until(run);
    expect(state.log.map(({ message }) => message)).toContainEqual(
        "all traffic returns to blue, past the owner of the weights: no answer",
    );
    expect(world.clock.now() - begun).toBeLessThan((PLAN.phaseDeadlineSeconds + 60) * 1000);
    // At growing intervals: once a second it would be 300.
    expect(world.updates).toBeLessThan(35);
    expectEnded(world, state);
});

test("A rollback of the last switch works while the program rejects the config", async () => {
    const world = new World({ owner: "pulumi" });
    const promoted = await world.clock.until(start(world.driver("ann"), TO_GREEN));
    expect(promoted.phase).toBe("promoted");
    world.ownerFails = "rejected";
    const state = await world.clock.until(rollback(world.driver("ben"), BACK));
    expect(state).toMatchObject({ kind: "rollback", phase: "promoted", to: "blue" });
    expect(world.weights()).toEqual(all("blue"));
    expect(world.config).toEqual(all("blue"));
});

async function reached(world: World, { store }: Context, phase: Switch["phase"]): Promise<void> {
    while ((await store.read()).state?.phase !== phase) await world.clock.sleep(100);
}

test("A switch waits until the judge has enough data, and reports the time", async () => {
    const world = new World({ unseen: { seconds: 90 } });
    const begun = world.clock.now();
    const reported: string[] = [];
    const driver = { ...world.driver("ann"), report: (line: string) => void reported.push(line) };
    const state = await world.clock.until(start(driver, TO_GREEN));
    expect(state.phase).toBe("promoted");
    expectEnded(world, state);
    const [, raised] = state.log;
    expect(raised?.phase).toBe("raise");
    expect((raised?.at ?? 0) - begun).toBeGreaterThanOrEqual(90_000);
    const until = new Date(begun + 90_000).toTimeString().slice(0, 8);
    // Reported once, not at each check.
    expect(reported.filter((line) => line.includes("unseen"))).toEqual([
        `          waiting for: until ${until}, when Prometheus has enough data (unseen)`,
    ]);
});

test("A switch is rejected at once if it is unknown when the judge will be ready", async () => {
    const world = new World({ unseen: { seconds: undefined } });
    const state = await world.clock.until(start(world.driver("ann"), TO_GREEN));
    expect(state.phase).toBe("rolled-back");
    expect(state.aborted?.reason).toBe("the judge has no data: unseen");
    expectEnded(world, state);
});

test("A switch that stays inconclusive until its deadline is rolled back, with the reason", async () => {
    const world = new World({ unseen: { seconds: 1_000 } });
    const state = await world.clock.until(start(world.driver("ann"), TO_GREEN));
    expect(state.phase).toBe("rolled-back");
    expect(state.aborted?.reason).toMatch(
        /preflight did not complete within 300 s: until .*unseen/,
    );
    expectEnded(world, state);
});
