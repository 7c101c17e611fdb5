import { parentPort, workerData } from "node:worker_threads";

import { detach } from "../../detach.ts";
import { lowerThreadPriority } from "../../threads/priority.ts";
import { END, type WorkerResponse, type WorkerData, type WorkerMessage } from "./messages.ts";
import { loadModel } from "./model.ts";

const port = parentPort;
if (!port) throw new Error("This module must run in a worker thread of the local model");

function respond(message: WorkerResponse): void {
    const vectors = message.kind === "embedded" ? [message.vectors.buffer] : [];
    port?.postMessage(message, vectors);
}

lowerThreadPriority("low");
const model = await loadModel(workerData as WorkerData);
let last: Promise<void> | undefined;
port.on("message", (message: WorkerMessage) => {
    if (message === END) {
        detach(Promise.resolve(last).then(() => process.exit()));
        return;
    }
    last = model.embed(message).then(respond, (error: unknown) => {
        respond({ kind: "failed", message: String(error) });
    });
});
respond({ kind: "ready", dimensions: model.dimensions });
