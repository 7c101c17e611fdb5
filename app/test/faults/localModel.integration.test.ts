import { join } from "node:path";
import { Worker } from "node:worker_threads";

import { afterEach, describe, expect, test } from "@jest/globals";
import { pino } from "pino";

import type { WorkerData } from "../../src/upstream/local/messages.ts";
import { createWorkerPool, type WorkerPool } from "../../src/upstream/local/workerPool.ts";
import { eventually } from "../support/eventually.ts";
import { modelDirectory } from "../support/model.ts";

const directory = modelDirectory();
const FILES = {
    model: join(directory, "model.onnx"),
    tokenizer: join(directory, "tokenizer.json"),
};
const REAL = new URL("../../src/upstream/local/worker.ts", import.meta.url);

/** Behaves like the real worker; a text "die" ends its thread with an error, "hold" blocks it forever. */
const FRAGILE = `
    const { parentPort } = require("node:worker_threads");
    parentPort.on("message", (message) => {
        if (message === "end") process.exit();
        const { texts } = message;
        if (texts.includes("die")) throw new Error("out of something");
        if (texts.includes("hold")) return;
        const vectors = new Float32Array(texts.map((text) => text.length));
        parentPort.postMessage({ kind: "embedded", vectors, tokens: texts.map(() => 1), truncated: texts.map(() => false) });
    });
    parentPort.postMessage({ kind: "ready", dimensions: 1 });`;

const opened: Worker[] = [];
const logged: string[] = [];
let pool: WorkerPool | undefined;

afterEach(async () => {
    await pool?.close();
    opened.length = 0;
    logged.length = 0;
});

async function start(threads: number, open: (data: WorkerData) => Worker): Promise<WorkerPool> {
    const log = pino({ level: "info" }, { write: (line: string) => void logged.push(line) });
    pool = createWorkerPool(threads, FILES, log, (data) => {
        const worker = open(data);
        opened.push(worker);
        return worker;
    });
    await pool.start();
    return pool;
}

/** The real worker, which fails between two turns of its event loop on request. */
const crashing = (workerData: WorkerData) =>
    new Worker(
        `new BroadcastChannel("crash").onmessage = () => { throw new Error("out of something"); };
        void import(${JSON.stringify(REAL.href)});`,
        { eval: true, workerData },
    );

const fragile = () => new Worker(FRAGILE, { eval: true });
const real = (workerData: WorkerData) => new Worker(REAL, { workerData });

const embed = async (from: WorkerPool, texts: readonly string[], milliseconds = 20_000) =>
    Array.from((await from.run({ tenant: "a" }, texts, performance.now() + milliseconds)).vectors);

describe("A worker of the local model that is lost", () => {
    test("under load loses no request, is replaced, and is logged", async () => {
        const model = await start(2, crashing);
        const text = "a bright flat near the park ".repeat(8);
        const right = await embed(model, [text]);
        const all = Promise.all(Array.from({ length: 60 }, () => embed(model, [text])));
        const crash = new BroadcastChannel("crash");
        crash.postMessage("now");
        for (const vector of await all) expect(vector).toEqual(right);
        crash.close();
        await eventually("both were replaced", () => opened.length === 4);
        expect(logged.join()).toMatch(/A worker of the local model failed.*Restarting/s);
    });

    test("to a text that crashes workers responds with 503 to it, and serves the others", async () => {
        const model = await start(2, fragile);
        const deadly = expect(embed(model, ["die"])).rejects.toMatchObject({
            status: 503,
            code: "model_unavailable",
        });
        const others = Array.from({ length: 50 }, (_, n) => embed(model, ["x".repeat(n)]));
        expect(await Promise.all(others)).toEqual(others.map((_, n) => [n]));
        await deadly;
        expect(logged.filter((line) => line.includes("out of something"))).toHaveLength(2);
        expect(await embed(model, ["after"])).toEqual([5]);
        expect(opened.length).toBeLessThanOrEqual(4);
    });

    test("with none left makes requests wait for the next one", async () => {
        const model = await start(1, fragile);
        await opened[0]?.terminate();
        expect(await embed(model, ["waited"])).toEqual([6]);
    });
});

describe("The end", () => {
    test("during runs lets them end: terminating the native runtime would abort the process", async () => {
        const model = await start(2, real);
        const runs = Array.from({ length: 6 }, () =>
            embed(model, Array(16).fill("a flat ".repeat(30))),
        );
        const outcomes = Promise.allSettled(runs);
        await model.close();
        const states = (await outcomes).map(({ status }) => status);
        expect(states.filter((state) => state === "fulfilled")).toHaveLength(2);
        expect(opened.map(({ threadId }) => threadId)).toEqual([-1, -1]);
    });

    test("waits for a model that is being loaded", async () => {
        const model = createWorkerPool(2, FILES, pino({ level: "silent" }), (data) => {
            const worker = real(data);
            opened.push(worker);
            return worker;
        });
        const started = model.start().catch(() => undefined);
        await eventually("threads run", () => opened.every(({ threadId }) => threadId > 0));
        await model.close();
        expect(opened.map(({ threadId }) => threadId)).toEqual([-1, -1]);
        await started;
    });
});

describe("A worker of the local model that hangs", () => {
    test("gives a 504 at the request's deadline, and expired tasks are not run", async () => {
        const model = await start(1, fragile);
        const holding = embed(model, ["hold"], 200);
        const behind = embed(model, ["die"], 100);
        await expect(behind).rejects.toMatchObject({ status: 504, code: "upstream_timeout" });
        await expect(holding).rejects.toMatchObject({ status: 504 });
        await opened[0]?.terminate();
        // Given to the next worker, the text behind it would have crashed that one, too.
        expect(await embed(model, ["after"])).toEqual([5]);
        expect(opened).toHaveLength(2);
    });
});
