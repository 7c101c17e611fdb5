import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Weights } from "@property-search/contract";
import { setConfig } from "@property-search/deploy";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { sharedUrns } from "../../../deploy/src/pulumi/state.ts";
import { addPulumiToPath } from "../../../local/src/toolchain/pulumi.ts";
import { ReleaseError } from "../../src/error.ts";
import { openStack, type TestStack } from "./support/stack.ts";

// The real CLI starts some ten times in each of these.
const SECONDS = 120;

const START: Weights = { blue: 100, green: 0 };
const STEP: Weights = { blue: 90, green: 10 };
const NEXT: Weights = { blue: 50, green: 50 };
const change = (id: string) => ({ id, fence: 1 });

let one: TestStack;

beforeAll(async () => {
    await addPulumiToPath();
    one = await openStack(START);
}, SECONDS * 1000);

afterAll(() => one.close());

beforeEach(async () => {
    await one.traffic().set(START, change("before"));
    one.reports.length = 0;
}, SECONDS * 1000);

const config = () => readFile(one.configFile, "utf8");

async function until(what: string, done: () => Promise<boolean> | boolean): Promise<void> {
    for (let tries = 0; !(await done()); tries += 1) {
        if (tries > 600) throw new Error(`not after a minute: ${what}`);
        await delay(100);
    }
}

const isLive = (weights: Weights) => async () => (await one.live()).blue === weights.blue;

describe("weights that Pulumi owns", () => {
    test(
        "are carried out, read back, kept in the config, and known with who set them",
        async () => {
            const traffic = one.traffic();
            await traffic.set(STEP, change("r1"));
            expect(await one.live()).toEqual(STEP);
            expect(await traffic.read()).toEqual(STEP);
            expect(await config()).toMatch(
                /^# Of the tests\.\n.*\n {4}property-search:traffic\.weights: \{ blue: 90, green: 10 \}\n/,
            );
            const [newest, before] = await traffic.history(2);
            expect(newest).toMatchObject({
                message: "release r1: blue 90, green 10",
                weights: STEP,
                succeeded: true,
            });
            expect(before).toMatchObject({ weights: START });
            expect(await one.checkoutIsClean()).toBe(true);
        },
        SECONDS * 1000,
    );

    test(
        "are set by an update of the route alone",
        async () => {
            await one.traffic().set(STEP, change("r2"));
            const { resourceChanges } = (await one.stack.info(false)) ?? {};
            expect(resourceChanges).toMatchObject({ update: 1 });
            expect(one.reports.filter((line) => line.includes("updated"))).toEqual([
                expect.stringContaining("edge-route"),
            ]);
        },
        SECONDS * 1000,
    );

    test(
        "are set again without harm, also where somebody moved the traffic past Pulumi",
        async () => {
            const traffic = one.traffic();
            await traffic.set(STEP, change("r3"));
            await traffic.set(STEP, change("r3"));
            await one.move(NEXT);
            await traffic.set(STEP, change("r3"));
            expect(await one.live()).toEqual(STEP);
        },
        SECONDS * 1000,
    );
});

describe("two updates at once", () => {
    test(
        "come one after the other",
        async () => {
            const letGo = await one.hold();
            const first = one.traffic().set(STEP, change("first"));
            await one.updater();
            const second = one.traffic().set(NEXT, change("second"));
            await until("the second waits", () =>
                one.reports.some((line) => line.includes("waiting")),
            );
            expect(one.reports.join("\n")).toMatch(
                /waiting: stack dev is being updated by \S+@\S+ \(pid \d+\)/,
            );
            await letGo();
            await Promise.all([first, second]);
            expect(await one.live()).toEqual(NEXT);
            expect(await config()).toContain("{ blue: 50, green: 50 }");
        },
        SECONDS * 1000,
    );

    test(
        "are refused the second one when the first takes too long, which leaves no trace of it",
        async () => {
            const letGo = await one.hold();
            const first = one.traffic().set(STEP, change("first"));
            const pid = await one.updater();
            const second = one.traffic(0).set(NEXT, change("second"));
            await expect(second).rejects.toThrow(
                new RegExp(
                    `stack dev is being updated by \\S+ \\(pid ${pid}\\).*weights are unchanged`,
                ),
            );
            await letGo();
            await first;
            expect(await one.live()).toEqual(STEP);
            expect(await config()).toContain("{ blue: 90, green: 10 }");
        },
        SECONDS * 1000,
    );
});

describe("an update that is killed", () => {
    async function killedOnTheWayTo(weights: Weights): Promise<void> {
        const letGo = await one.hold();
        const killed = one.traffic().set(weights, change("killed"));
        const failed = expect(killed).rejects.toThrow(ReleaseError);
        const pid = await one.updater();
        await until("the cluster has been changed", isLive(weights));
        process.kill(pid, "SIGKILL");
        await failed;
        await letGo();
    }

    test(
        "is finished by the next one",
        async () => {
            await killedOnTheWayTo(STEP);
            await one.traffic().set(STEP, change("r4"));
            expect(await one.live()).toEqual(STEP);
            expect(await one.traffic().read()).toEqual(STEP);
            expect(one.reports.join("\n")).toContain("its lock is released");
        },
        SECONDS * 1000,
    );

    test(
        "is taken back by the next one, though Pulumi's state never saw its weights",
        async () => {
            await killedOnTheWayTo(STEP);
            expect(await one.traffic().read()).toEqual(START);
            await one.traffic().set(START, change("r5"));
            expect(await one.live()).toEqual(START);
        },
        SECONDS * 1000,
    );
});

test(
    "a deploy in the middle, which leaves out what the switch sets, keeps its weights",
    async () => {
        await one.traffic().set(STEP, change("r8"));
        await setConfig(one.configFile, { "traffic.weights": NEXT, "edge.httpPort": 9090 });
        const exclude = [...sharedUrns(JSON.stringify(await one.stack.exportStack()))];
        const { configFile } = one;
        const { summary } = await one.stack.up({ configFile, exclude, showSecrets: false });
        // The gateway's port.
        expect(summary.resourceChanges).toMatchObject({ update: 1 });
        expect(await one.live()).toEqual(STEP);
        expect(await one.traffic().read()).toEqual(STEP);
    },
    SECONDS * 1000,
);

test(
    "a lock of another machine is respected, and its holder named",
    async () => {
        const lock = path.join(one.locks, "theirs.json");
        const holder = {
            pid: 7,
            username: "ann",
            hostname: "another-machine",
            timestamp: new Date(),
        };
        await mkdir(one.locks, { recursive: true });
        await writeFile(lock, JSON.stringify(holder));
        const before = await config();
        await expect(one.traffic(0).set(STEP, change("r6"))).rejects.toThrow(
            /updated by ann@another-machine \(pid 7\) at .*pulumi cancel --stack dev/s,
        );
        expect(JSON.parse(await readFile(lock, "utf8"))).toMatchObject({ pid: 7 });
        expect(await config()).toBe(before);
        expect(await one.live()).toEqual(START);
        await rm(lock);
    },
    SECONDS * 1000,
);

test(
    "a driver that is asked to stop lets the update come to its end",
    async () => {
        const letGo = await one.hold();
        const stop = new AbortController();
        const stopped = one.traffic().set(STEP, { ...change("r7"), signal: stop.signal });
        const failed = expect(stopped).rejects.toThrow("enough");
        await until("the cluster has been changed", isLive(STEP));
        stop.abort(new Error("enough"));
        await until("Pulumi has heard of it", () =>
            one.reports.some((line) => line.includes("cancelling")),
        );
        await letGo();
        await failed;
        expect(await one.traffic().read()).toEqual(STEP);
    },
    SECONDS * 1000,
);
