import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { pino } from "pino";
import { Worker } from "node:worker_threads";

import {
    createReuseThread,
    LOOKUP_MILLISECONDS,
    STUCK_MILLISECONDS,
    type ReuseThread,
} from "../../src/reuse/thread/client.ts";
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

/** Of an inspection, of the first restart and of the first pause. */
const SECOND = 1_000;

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
        kind: "reply", id, reply: [{ outcome: "gate" }], milliseconds: ${LOOKUP_MILLISECONDS} - (text === "slow" ? 0 : 1),
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

beforeEach(() => {
    // The time passes by the tests alone. Messages of the thread and `eventually` do not wait for it.
    const doNotFake = [
        ...(["Date", "nextTick", "queueMicrotask"] as const),
        ...(["setImmediate", "clearImmediate", "setInterval", "clearInterval"] as const),
    ];
    jest.useFakeTimers({ doNotFake });
});

afterEach(async () => {
    jest.useRealTimers();
    await thread?.close();
});

async function start(): Promise<{ thread: ReuseThread; starts: () => number }> {
    let ready = 0;
    const started = createReuseThread({
        data: () => DATA,
        log,
        onReady: () => {
            ready += 1;
        },
        startWorker: () => new Worker(THREAD, { eval: true }),
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
        const { thread: started } = await start();
        const hung = started.lookUp(lookup("hang"));
        jest.advanceTimersByTime(LOOKUP_MILLISECONDS - 1);
        const next = started.lookUp(lookup("a"));
        expect(await Promise.race([hung, next])).toEqual([{ outcome: "gate" }]);
        jest.advanceTimersByTime(1);
        expect(await hung).toBe("timeout");
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
        jest.advanceTimersByTime(SECOND);
        expect(await started.lookUp(lookup("a"))).toEqual([{ outcome: "gate" }]);
    });

    test("is refused at once while too many others wait, or the thread is stuck, which its state shows", async () => {
        const { thread: started } = await start();
        const all = Array.from({ length: 20 }, () => started.lookUp(lookup("hang")));
        jest.advanceTimersByTime(STUCK_MILLISECONDS - 1);
        const outcomes = await Promise.all(all);
        expect(outcomes.filter((one) => one === "busy")).toHaveLength(4);
        expect(outcomes.filter((one) => one === "timeout")).toHaveLength(16);
        expect(started.state().state).toBe("up");
        jest.advanceTimersByTime(1);
        expect(started.state().state).toBe("stuck");
        expect(await started.lookUp(lookup("a"))).toBe("busy");
    });

    test("for the admin port ends after its time, too", async () => {
        const { thread: started } = await start();
        const { namespace } = lookup("");
        const inspect = (text: string) => started.inspect({ kind: "inspect", namespace, text });
        expect(await inspect("fail")).toBe("unavailable");
        const hung = inspect("hang");
        jest.advanceTimersByTime(SECOND);
        expect(await hung).toBe("unavailable");
        expect(started.state().state).toBe("up");
        expect(await inspect("a")).not.toBe("unavailable");
    });

    test.each(["crash", "throw"])(
        "that ends the thread (%s) is unavailable, and the thread is started again",
        async (text) => {
            const { thread: started, starts } = await start();
            expect(await started.lookUp(lookup(text))).toBe("unavailable");
            expect(started.state().state).toBe("restarting");
            expect(await started.lookUp(lookup("a"))).toBe("unavailable");
            jest.advanceTimersByTime(SECOND);
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
    await eventually("it has failed", () => started.state().restarts === 1);
    jest.advanceTimersByTime(SECOND);
    await eventually("it was tried twice", () => started.state().restarts === 2);
    expect(started.state()).toMatchObject({ state: "restarting", lastError: "no model.onnx" });
    expect(await started.lookUp(lookup("a"))).toBe("unavailable");
});
