import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData, type Transferable } from "node:worker_threads";

import { lowerThreadPriority } from "../../threads/priority.ts";
import { loadEncoder } from "./encoder.ts";
import { createEngine } from "./engine.ts";
import {
    threadClock,
    type Answer,
    type FromThread,
    type SealedText,
    type ThreadData,
    type ToThread,
} from "./messages.ts";

const port = parentPort;
if (!port) throw new Error("This module must run in the thread of semantic reuse");

const REPORT_MILLISECONDS = 1_000;

function post(message: FromThread, transferred: readonly Transferable[] = []): void {
    port?.postMessage(message, transferred);
}

lowerThreadPriority("low");
const { options, ...files } = workerData as ThreadData;
const encoder = await loadEncoder(files);
const engine = createEngine(encoder, options);

/** Requests wait for lookups; all else waits for these. Commands are obeyed at once. */
const urgent: ToThread[] = [];
const later: ToThread[] = [];
let isRunning = false;

port.on("message", (message: ToThread) => {
    const isLater =
        message.id !== undefined &&
        ["learn", "adopt", "save", "restore"].includes(message.question.kind);
    (isLater ? later : urgent).push(message);
    // Again after the texts that were on their way when they were forgotten.
    if (message.id === undefined && ["forget", "drop"].includes(message.command.kind))
        later.push(message);
    // An unexpected error ends the thread, which is then started again.
    if (!isRunning) run().catch(end);
});

async function run(): Promise<void> {
    isRunning = true;
    for (;;) {
        const next = urgent.shift() ?? later.shift();
        if (!next) break;
        await handle(next);
        // Messages that have arrived meanwhile are read before the next one is chosen.
        await nextTurn();
    }
    isRunning = false;
}

function end(error: unknown): void {
    setImmediate(() => {
        throw error;
    });
}

async function handle(message: ToThread): Promise<void> {
    if (message.id === undefined) {
        if (message.command.kind === "end") process.exit();
        engine.obey(message.command);
        return;
    }
    const { id, question, deadline } = message;
    const begun = threadClock();
    if (begun > deadline) {
        post({ kind: "late", id });
        return;
    }
    try {
        const reply = await engine.answer(question);
        const milliseconds = threadClock() - begun;
        post(
            { kind: "reply", id, reply, milliseconds },
            Array.isArray(reply) ? buffersOf(reply) : [],
        );
    } catch (error) {
        post({ kind: "failed", id, message: String(error) });
    }
}

function buffersOf(items: readonly (Answer | SealedText)[]): readonly Transferable[] {
    return items.flatMap((item) => {
        if ("sealed" in item) return item.sealed.buffer;
        return item.outcome === "served" ? item.vector.buffer : [];
    });
}

setInterval(() => {
    engine.removeExpired();
    post({ kind: "reports", reports: engine.reports() });
}, REPORT_MILLISECONDS);
post({ kind: "ready", revision: encoder.revision });
