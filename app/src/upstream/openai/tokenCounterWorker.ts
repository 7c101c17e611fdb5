import { parentPort, workerData } from "node:worker_threads";

import { lowerThreadPriority } from "../../threads/priority.ts";
import { createTokenCounter } from "./tokenCounter.ts";
import type { CountResult, CountTask } from "./tokenCounterThread.ts";

const { model } = workerData as { readonly model: string };
const count = createTokenCounter(model);
const results: CountResult[] = [];

/** Sends all tasks of one turn in one message. */
function respond(one: CountResult): void {
    if (results.push(one) === 1) setImmediate(() => parentPort?.postMessage(results.splice(0)));
}

// Loaded at startup, before the pod is ready.
await count?.("", 0).catch(() => 0);
lowerThreadPriority("low");
parentPort?.on("message", (tasks: readonly CountTask[]) => {
    for (const { id, texts, max } of tasks) {
        const counting = texts.map(
            (text) => count?.(text, max) ?? Promise.reject(new Error("Unknown model")),
        );
        Promise.all(counting).then(
            (tokens) => respond({ id, tokens }),
            (error: unknown) => respond({ id, failure: String(error) }),
        );
    }
});
