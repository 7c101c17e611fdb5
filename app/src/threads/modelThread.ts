import { once } from "node:events";
import type { Worker } from "node:worker_threads";

import { detach } from "../detach.ts";

/**
 * A run takes a tenth of a second and loading the model somewhat longer; on a machine with thirty times the
 * load, half a minute.
 */
const MAX_SHUTDOWN_MILLISECONDS = 60_000;

/** To be called before the first thread that loads a model starts. */
export function disableTelemetry(): void {
    // From 1.29 on, the native runtime sends telemetry about each session unless this is set. It reads the
    // process environment, which only the main thread can change.
    process.env.ORT_DISABLE_TELEMETRY = "1";
}

/**
 * Requests the end of a thread that runs a model, and waits for it. The thread ends itself: terminating it while
 * it loads or runs the model would abort the process in the native runtime.
 */
export async function endModelThread(worker: Worker, request: unknown): Promise<void> {
    const ended = once(worker, "exit");
    worker.postMessage(request);
    const timeout = setTimeout(() => detach(worker.terminate()), MAX_SHUTDOWN_MILLISECONDS);
    await ended.catch(() => once(worker, "exit"));
    clearTimeout(timeout);
}
