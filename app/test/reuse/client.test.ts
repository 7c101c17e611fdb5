import { afterEach, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import { Worker } from "node:worker_threads";

import { createReuseThread, type ReuseThread } from "../../src/reuse/thread/client.ts";
import type { LookupRequest, ThreadData } from "../../src/reuse/thread/messages.ts";
import { eventually } from "../support/eventually.ts";

const log = pino({ level: "silent" });
const DATA: ThreadData = {
    model: "",
    tokenizer: "",
    options: {
        maxEntries: 100,
        errorBudget: 0.02,
        errorBudgetScope: "per-hit",
        auditShare: 0.02,
        confidence: 0.8,
        rules: { version: 1, synonyms: [], opposites: [], places: [] },
        textSecret: undefined,
        build: "v1",
    },
};

/** Longer than any lookup that the thread answers, also beside other tests. */
const LONG_MILLISECONDS = 20_000;
/** Of lookups that are not answered. */
const SHORT_MILLISECONDS = 1_000;

/** A thread that does what the text of a lookup says. */
const THREAD = `
const { parentPort } = require("node:worker_threads");
parentPort.postMessage({ kind: "ready", revision: "r" });
parentPort.on("message", ({ id, question, command }) => {
    if (command?.kind === "end") process.exit();
    const [{ text } = question ?? {}] = question?.texts ?? [];
    if (text === "crash") process.exit(1);
    if (text === "throw") throw new Error("broken");
    if (text === "fail") parentPort.postMessage({ kind: "failed", id, message: "model failed" });
    else if (text === "late") parentPort.postMessage({ kind: "late", id });
    else if (text !== "hang") parentPort.postMessage({
        kind: "reply", id, reply: [{ outcome: "gate" }], milliseconds: text === "slow" ? ${LONG_MILLISECONDS} : ${LONG_MILLISECONDS - 1},
    });
});
`;

function lookup(text: string, namespace = "a"): LookupRequest {
    return {
        kind: "look up",
        namespace: { id: namespace, dimensions: 2 },
        texts: [{ text, ticket: 1 }],
        exactHits: 0,
    };
}

let thread: ReuseThread | undefined;
afterEach(() => thread?.close());

async function start(
    lookupMilliseconds = LONG_MILLISECONDS,
): Promise<{ thread: ReuseThread; starts: () => number }> {
    let ready = 0;
    const started = createReuseThread({
        data: () => DATA,
        log,
        onReady: () => {
            ready += 1;
        },
        startWorker: () => new Worker(THREAD, { eval: true }),
        lookupMilliseconds,
    });
    thread = started;
    started.start();
    await eventually("the thread is up", () => started.state().state === "up");
    return { thread: started, starts: () => ready };
}

describe("a lookup", () => {
    test("is refused at once until the thread is up, and then answered", async () => {
        const idle = createReuseThread({ data: () => DATA, log, onReady: () => undefined });
        expect(await idle.lookUp(lookup("a"))).toBe("unavailable");
        const { thread: started } = await start();
        expect(await started.lookUp(lookup("a"))).toEqual([{ outcome: "gate" }]);
    });

    test("that the thread cannot answer is unavailable, and the next one is answered", async () => {
        const { thread: started } = await start();
        expect(await started.lookUp(lookup("fail"))).toBe("unavailable");
        expect(await started.lookUp(lookup("a"))).toEqual([{ outcome: "gate" }]);
    });

    test("ends after its time, and is not waited for again", async () => {
        const { thread: started } = await start(SHORT_MILLISECONDS);
        const begun = performance.now();
        expect(await started.lookUp(lookup("hang"))).toBe("timeout");
        expect(performance.now() - begun).toBeGreaterThanOrEqual(SHORT_MILLISECONDS - 1);
        expect(await started.lookUp(lookup("a"))).toEqual([{ outcome: "gate" }]);
    });

    test("that waited for others pauses nobody, however often", async () => {
        const { thread: started } = await start();
        for (let at = 0; at < 20; at += 1)
            expect(await started.lookUp(lookup("late"))).toBe("timeout");
        expect(await started.lookUp(lookup("a"))).toEqual([{ outcome: "gate" }]);
    });

    test("is refused after slow ones of its own namespace; those of others are answered", async () => {
        const { thread: started } = await start();
        for (let at = 0; at < 5; at += 1)
            expect(await started.lookUp(lookup("slow"))).toEqual([{ outcome: "gate" }]);
        expect(await started.lookUp(lookup("a"))).toBe("unavailable");
        expect(await started.lookUp(lookup("a", "b"))).toEqual([{ outcome: "gate" }]);
        expect(started.state().state).toBe("up");
        await eventually(
            "the pause ends",
            async () => (await started.lookUp(lookup("a"))) !== "unavailable",
        );
    });

    test("is refused at once while the thread is stuck, which its state shows", async () => {
        const { thread: started } = await start(SHORT_MILLISECONDS);
        await Promise.all(Array.from({ length: 16 }, () => started.lookUp(lookup("hang"))));
        expect(await started.lookUp(lookup("a"))).toBe("busy");
        await eventually("the thread is stuck", () => started.state().state === "stuck");
    });

    test("for the admin port ends after its time, too", async () => {
        const { thread: started } = await start();
        const { namespace } = lookup("");
        const inspect = (text: string) => started.inspect({ kind: "inspect", namespace, text });
        expect(await Promise.all([inspect("hang"), inspect("fail")])).toEqual([
            "unavailable",
            "unavailable",
        ]);
        expect(started.state().state).toBe("up");
        expect(await inspect("a")).not.toBe("unavailable");
    });

    test("is refused while too many others wait", async () => {
        const { thread: started } = await start(SHORT_MILLISECONDS);
        const all = Array.from({ length: 20 }, () => started.lookUp(lookup("hang")));
        const outcomes = await Promise.all(all);
        expect(outcomes.filter((one) => one === "busy")).toHaveLength(4);
    });

    test.each(["crash", "throw"])(
        "that ends the thread (%s) is unavailable, and the thread is started again",
        async (text) => {
            const { thread: started, starts } = await start();
            expect(await started.lookUp(lookup(text))).toBe("unavailable");
            expect(started.state().state).toBe("restarting");
            expect(await started.lookUp(lookup("a"))).toBe("unavailable");
            await eventually("the thread is up again", () => starts() === 2);
            expect(await started.lookUp(lookup("a"))).toEqual([{ outcome: "gate" }]);
            expect(started.state()).toMatchObject({ state: "up", restarts: 1 });
        },
    );
});

test("a thread that cannot load its model is tried again, and says why", async () => {
    const started = createReuseThread({
        data: () => DATA,
        log,
        onReady: () => undefined,
        startWorker: () => new Worker('throw new Error("no model.onnx")', { eval: true }),
    });
    thread = started;
    started.start();
    await eventually("it was tried twice", () => started.state().restarts >= 2);
    expect(started.state()).toMatchObject({ state: "restarting", lastError: "no model.onnx" });
    expect(await started.lookUp(lookup("a"))).toBe("unavailable");
});
