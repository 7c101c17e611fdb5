import { parentPort, workerData } from "node:worker_threads";

import { yieldToEventLoop } from "../../threads/priority.ts";
import { tokenCounter } from "./tokenCounter.ts";
import type { CountAnswer, CountTask } from "./tokenCounterThread.ts";

const { model } = workerData as { readonly model: string };
const count = tokenCounter(model);
const answers: CountAnswer[] = [];

/** Sends all tasks of one turn in one message. */
function answer(one: CountAnswer): void {
    if (answers.push(one) === 1) setImmediate(() => parentPort?.postMessage(answers.splice(0)));
}

// Loaded at startup, before the pod is ready.
await count?.("", 0).catch(() => 0);
yieldToEventLoop("low");
parentPort?.on("message", (tasks: readonly CountTask[]) => {
    for (const { id, text, most } of tasks) {
        const counted = count?.(text, most) ?? Promise.reject(new Error("Unknown model"));
        counted.then(
            (tokens) => answer({ id, tokens }),
            (error: unknown) => answer({ id, failure: String(error) }),
        );
    }
});
