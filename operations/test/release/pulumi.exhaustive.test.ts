import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import type { Weights } from "@property-search/contract";
import { objectsOf, sharedUrns } from "../../deploy/pulumi/state.ts";
import { readConfig, setConfig } from "../../deploy/pulumi/stackFile.ts";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { addPulumiToPath } from "../../../local/src/toolchain/pulumi.ts";
import { Rejected, ReleaseError } from "../../release/error.ts";
import { openStack, type TestStack } from "../support/pulumiStack.ts";

const START: Weights = { blue: 100, green: 0 };
const STEP: Weights = { blue: 90, green: 10 };
const NEXT: Weights = { blue: 50, green: 50 };
const change = (id: string) => ({ id, fence: 1 });

// The real CLI takes seconds for an update. The tests share one stack, each starts with the weights of the one before.
jest.setTimeout(600_000);

let one: TestStack;

beforeAll(async () => {
    await addPulumiToPath();
    one = await openStack(START);
});

afterEach(async () => {
    await one.letGo();
    one.reports.length = 0;
});

afterAll(() => one.close());

const config = () => readFile(one.configFile, "utf8");
const isLive = (weights: Weights) => async () => (await one.live()).blue === weights.blue;
const isReported = (text: string) => () => one.reports.some((line) => line.includes(text));

async function until(what: string, done: () => Promise<boolean> | boolean): Promise<void> {
    for (let tries = 0; !(await done()); tries += 1) {
        if (tries > 1_000) throw new Error(`not in time: ${what}`);
        await delay(100);
    }
}

test("an update of the route alone sets the weights, and the history has its author", async () => {
    const traffic = one.traffic();
    await traffic.set(STEP, change("r1"));
    expect(await one.live()).toEqual(STEP);
    expect(await traffic.read()).toEqual(STEP);
    expect(await config()).toMatch(
        /^# Of the tests\.\nconfig:\n +property-search:traffic\.weights: \{ blue: 90, green: 10 \}\n/,
    );
    expect(await one.checkoutIsClean()).toBe(true);
    const [newest, before] = await traffic.history(2);
    const message = "release r1: blue 90, green 10";
    expect(newest).toMatchObject({ message, weights: STEP, succeeded: true });
    expect(before).toMatchObject({ message: "first deploy", weights: START });
    const { resourceChanges } = (await one.stack.info(false)) ?? {};
    expect(resourceChanges).toMatchObject({ update: 1 });
    expect(one.reports.filter((line) => line.includes(" updated ("))).toEqual([
        expect.stringContaining("edge-route"),
    ]);
});

test("weights that were changed past Pulumi are set again", async () => {
    await one.move(NEXT);
    await one.traffic().set(STEP, change("r2"));
    expect(await one.live()).toEqual(STEP);
});

test("an update waits for another one, or is rejected without a trace", async () => {
    await one.hold();
    const first = one.traffic().set(NEXT, change("first"));
    const pid = await one.updater();
    await expect(one.traffic(0).set(START, change("refused"))).rejects.toThrow(
        new RegExp(
            `stack dev is being updated by \\S+ \\(pid ${pid}\\).*the weights are unchanged`,
        ),
    );
    const stop = new AbortController();
    const stopped = one.traffic().set(START, { ...change("stopped"), signal: stop.signal });
    const failed = expect(stopped).rejects.toThrow("enough");
    await until("the one that is to be stopped waits", isReported("waiting: stack dev"));
    stop.abort(new Error("enough"));
    await failed;
    expect(await config()).toContain("{ blue: 50, green: 50 }");

    one.reports.length = 0;
    const second = one.traffic().set(STEP, change("second"));
    await until("the second waits", isReported(`(pid ${pid})`));
    await one.letGo();
    await Promise.all([first, second]);
    expect(await one.live()).toEqual(STEP);
    expect(await config()).toContain("{ blue: 90, green: 10 }");
    const messages = (await one.traffic().history(2)).map(({ message }) => message);
    expect(messages).toEqual([
        "release second: blue 90, green 10",
        "release first: blue 50, green 50",
    ]);
});

test("traffic that a killed update shifted is returned, though Pulumi's state lacks it", async () => {
    await one.hold();
    const killed = one.traffic().set(NEXT, change("killed"));
    const failed = expect(killed).rejects.toThrow(ReleaseError);
    const pid = await one.updater();
    await until("the cluster has been changed", isLive(NEXT));
    process.kill(pid, "SIGKILL");
    await failed;
    await one.letGo();
    expect(await one.traffic().read()).toEqual(STEP);
    await one.traffic().set(STEP, change("back"));
    expect(await one.live()).toEqual(STEP);
    expect(one.reports.join("\n")).toContain("released the lock");
});

test("an interrupted driver lets the update finish", async () => {
    await one.hold();
    const stop = new AbortController();
    const stopped = one.traffic().set(NEXT, { ...change("r3"), signal: stop.signal });
    const failed = expect(stopped).rejects.toThrow("enough");
    await until("the cluster has been changed", isLive(NEXT));
    stop.abort(new Error("enough"));
    await until("Pulumi has heard of it", isReported("cancelling"));
    await one.letGo();
    await failed;
    expect(await one.traffic().read()).toEqual(NEXT);
});

test("a lock of another machine is respected, and its holder is reported", async () => {
    const lock = path.join(one.locks, "theirs.json");
    const holder = { pid: 7, username: "ann", hostname: "far", timestamp: new Date() };
    await mkdir(one.locks, { recursive: true });
    await writeFile(lock, JSON.stringify(holder));
    const weights = await one.live();
    await expect(one.traffic(0).set(START, change("r4"))).rejects.toThrow(
        /updated by ann@far \(pid 7\) at .*pulumi cancel --stack dev/s,
    );
    expect(JSON.parse(await readFile(lock, "utf8"))).toMatchObject({ pid: 7 });
    await rm(lock);
    expect(await readConfig(one.configFile, "traffic.weights")).toEqual(weights);
    expect(await one.live()).toEqual(weights);
});

test("a config that Pulumi rejects is a permanent failure, and the weights are restored", async () => {
    const weights = await one.live();
    const { configFile } = one;
    await setConfig(configFile, { "service.minReplicas": "many" });
    await expect(one.traffic().set(NEXT, change("r5"))).rejects.toThrow(Rejected);
    await expect(one.traffic().set(NEXT, change("r5"))).rejects.toThrow(/service\.minReplicas/);
    expect(await readConfig(configFile, "traffic.weights")).toEqual(weights);
    expect(await one.live()).toEqual(weights);
    await setConfig(configFile, { "service.minReplicas": undefined });
    await one.traffic().set(NEXT, change("r6"));
    expect(await one.live()).toEqual(NEXT);
});

test("a deploy during a switch excludes its objects and keeps its weights", async () => {
    const weights = await one.live();
    const { configFile } = one;
    await setConfig(configFile, { "traffic.weights": START, "edge.httpPort": 9090 });
    const exclude = [...sharedUrns(JSON.stringify(await one.stack.exportStack()))];
    await one.stack.up({ configFile, exclude, showSecrets: false });
    const objects = objectsOf(await one.stack.exportStack());
    expect(objects.find(({ inputs }) => inputs.kind === "Gateway")).toMatchObject({
        inputs: { spec: { listeners: [{ port: 9090 }] } },
    });
    expect(await one.live()).toEqual(weights);
    expect(await one.traffic().read()).toEqual(weights);
});
