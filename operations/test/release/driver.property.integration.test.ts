import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Context } from "../../release/commands/context.ts";
import { rollback } from "../../release/commands/rollback.ts";
import { start } from "../../release/commands/start.ts";
import { Superseded } from "../../release/error.ts";
import { requestAction } from "../../release/machine/requestAction.ts";
import { DEFAULT_PLAN } from "../../release/plan.ts";
import { hasEnded, type ActionRequest, type Switch } from "../../release/state.ts";
import { clusterStore } from "../../release/store/record.ts";
import { caller, type Fault } from "../support/caller.ts";
import { ROUTE } from "../../shared/route.ts";
import { all, World } from "../support/simulatedPlatform.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const PLAN = {
    ...DEFAULT_PLAN,
    minStepSeconds: 20,
    bakeSeconds: 30,
    stepDeadlineSeconds: 120,
    cooldownSeconds: 10,
};
const TO_GREEN = { to: "green", plan: PLAN, reason: "", force: false } as const;

const fault: fc.Arbitrary<Fault> = fc.oneof(
    { weight: 12, arbitrary: fc.constant<Fault>("none") },
    { weight: 1, arbitrary: fc.constant<Fault>("refused") },
    { weight: 1, arbitrary: fc.constant<Fault>("lost") },
);

/** An external event during a switch. */
const event = fc.record({
    at: fc.integer({ min: 1, max: 400 }),
    what: fc.constantFrom("pause", "promote", "rollback", "brake", "noise", "another driver"),
});

const verdicts = fc.array(fc.constantFrom("pass", "pass", "inconclusive", "fail" as const), {
    minLength: 1,
    maxLength: 4,
});

const life = fc.record({
    owner: fc.constantFrom("direct", "pulumi" as const),
    gatewayLag: fc.integer({ min: 0, max: 20 }),
    podLag: fc.integer({ min: 0, max: 60 }),
    verdicts: fc.record({ 10: verdicts, 50: verdicts, 100: verdicts }),
    faults: fc.array(fault, { minLength: 1, maxLength: 60 }),
    kills: fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 3 }),
    events: fc.array(event, { maxLength: 5 }),
});

test("Whatever happens to a switch, all traffic ends at one serving colour, and nothing is left behind", async () => {
    await fc.assert(
        fc.asyncProperty(life, async (given) => {
            const { owner, gatewayLag, podLag, faults, kills, events } = given;
            const looks = (weight: number) => given.verdicts[String(weight) as "10"];
            const world = new World({ owner, gatewayLag, podLag, looks });
            const drivers = [...kills, undefined].map((killAt, index) =>
                world.driver(`driver${index}`, {
                    fault: (call) => faults[(call + index) % faults.length] ?? "none",
                    ...(killAt !== undefined && { killAt }),
                }),
            );
            for (const { at, what } of events) {
                void world.clock.sleep(at * 1000).then(() => happen(world, what));
            }
            let lives = 0;
            for (const driver of drivers) {
                lives += 1;
                const run = start(driver, TO_GREEN).catch(() => undefined);
                const died = (async () => {
                    while (!driver.isKilled()) await world.clock.sleep(1000);
                })();
                await world.clock.until(Promise.race([run, died]));
            }
            expect(lives).toBe(drivers.length);
            // A last driver without faults ends the switch.
            const last = world.driver("last");
            await world.clock.until(world.clock.sleep(500_000));
            let { state } = await world.clock.until(last.store.read());
            while (state && !hasEnded(state)) {
                const to = state.to;
                await world.clock.until(start(last, { ...TO_GREEN, to }).catch(unlessAtWork));
                await world.clock.until(world.clock.sleep(60_000));
                ({ state } = await world.clock.until(last.store.read()));
            }
            expectWhole(world, state);
        }),
        propertyRuns(250),
    );
});

/** Other drivers may still be running. */
function unlessAtWork(error: unknown): void {
    if (!(error instanceof Superseded)) throw error;
}

function expectWhole(world: World, state: Switch | undefined): void {
    expect(world.broken).toEqual([]);
    expect(world.leftovers()).toEqual([]);
    expect([world.floor("blue"), world.floor("green")]).toEqual([2, 2]);
    if (!state) {
        expect(world.weights()).toEqual(all("blue"));
        return;
    }
    if (state.aborted?.phase === "preflight") {
        // It has changed nothing, and the previous switch has left all traffic at one colour.
        expect([all("blue"), all("green")]).toContainEqual(world.weights());
        return;
    }
    const serving = state.phase === "promoted" ? state.to : state.from;
    expect(world.weights()).toEqual(all(serving));
    if (state.phase === "promoted" && state.kind === "release") {
        expect(state.steps.map(({ verdict }) => verdict)).toEqual(["pass", "pass", "pass"]);
    }
}

async function happen(world: World, what: string): Promise<void> {
    const context = world.driver(`asker${world.clock.now()}`);
    const quietly = (work: Promise<unknown>) => work.catch(() => undefined);
    switch (what) {
        case "noise":
            world.server.change(ROUTE, () => undefined);
            return;
        case "brake":
            await quietly(rollback(context, { force: true, reason: "", plan: PLAN }));
            return;
        case "another driver":
            await quietly(start(context, TO_GREEN));
            return;
        default:
            await quietly(
                requestAction(context.store, request(context, what as ActionRequest["action"])),
            );
    }
}

function request({ actor, clock }: Context, what: ActionRequest["action"]): ActionRequest {
    return { action: what, by: actor, at: clock.now(), reason: "" };
}

test("The double rejects a write that is based on an older version", async () => {
    const world = new World();
    const { api } = caller(world.server);
    const store = clusterStore(api);
    const basis = await store.read();
    const state = await world.clock.until(start(world.driver("ann"), TO_GREEN));
    await expect(store.write(state, basis)).rejects.toThrow("exists");
});
