import { parentPort, workerData, type Transferable } from "node:worker_threads";

import { yieldToEventLoop } from "./threadPriority.ts";

/** What the module of a thread exports. */
export interface ThreadModule<Task, Answer> {
    readonly answer: (task: Task) => Answer;
    /** Memory of the answer that is the asker's from then on. */
    readonly moved?: (answer: Answer) => readonly Transferable[];
}

// First: loading the module takes a quarter of a second of the processor that the event loop wants too.
yieldToEventLoop();
const { answer, moved } = (await import(workerData as string)) as ThreadModule<unknown, unknown>;
parentPort?.on("message", (task) => {
    const given = answer(task);
    parentPort?.postMessage(given, moved?.(given) ?? []);
});
