import { parentPort, workerData, type Transferable } from "node:worker_threads";

import { yieldToEventLoop } from "./priority.ts";

/** Exports of a thread's module. */
export interface ThreadModule<Task, Answer> {
    readonly answer: (task: Task) => Answer;
    /** Memory of the result that is transferred to the caller. */
    readonly moved?: (answer: Answer) => readonly Transferable[];
}

// First, because loading the module takes a quarter of a second of CPU time that the event loop needs.
yieldToEventLoop("lowest");
const { answer, moved } = (await import(workerData as string)) as ThreadModule<unknown, unknown>;
parentPort?.on("message", (task) => {
    const given = answer(task);
    parentPort?.postMessage(given, moved?.(given) ?? []);
});
