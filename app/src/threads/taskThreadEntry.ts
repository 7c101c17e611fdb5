import { parentPort, workerData, type Transferable } from "node:worker_threads";

import { lowerThreadPriority } from "./priority.ts";

/** Exports of a thread's module. */
export interface ThreadModule<Task, Result> {
    readonly run: (task: Task) => Result;
    /** Memory of the result that is transferred to the caller. */
    readonly transferables?: (result: Result) => readonly Transferable[];
}

// First, because loading the module takes a quarter of a second of CPU time that the event loop needs.
lowerThreadPriority("lowest");
const { run, transferables } = (await import(workerData as string)) as ThreadModule<
    unknown,
    unknown
>;
parentPort?.on("message", (task) => {
    const result = run(task);
    parentPort?.postMessage(result, transferables?.(result) ?? []);
});
