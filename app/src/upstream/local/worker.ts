import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";

import type { WorkerAnswer, WorkerData, WorkerRequest } from "./messages.ts";
import { loadModel } from "./model.ts";

const port = parentPort;
if (!port) throw new Error("This module is a worker thread of the local model");

function answer(message: WorkerAnswer): void {
    const vectors = message.kind === "embedded" ? [message.vectors.buffer] : [];
    port?.postMessage(message, vectors);
}

// On Linux this is the thread's own: hits and probes, on the main thread, come before the model's work.
if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const model = await loadModel(workerData as WorkerData);
port.on("message", (request: WorkerRequest) => {
    model.embed(request).then(answer, (error: unknown) => {
        answer({ kind: "failed", message: String(error) });
    });
});
answer({ kind: "ready", dimensions: model.dimensions });
