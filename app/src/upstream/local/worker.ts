import { parentPort, workerData } from "node:worker_threads";

import { detach } from "../../detach.ts";
import { yieldToEventLoop } from "../../threads/priority.ts";
import { END, type WorkerAnswer, type WorkerData, type WorkerMessage } from "./messages.ts";
import { loadModel } from "./model.ts";

const port = parentPort;
if (!port) throw new Error("This module is a worker thread of the local model");

function answer(message: WorkerAnswer): void {
    const vectors = message.kind === "embedded" ? [message.vectors.buffer] : [];
    port?.postMessage(message, vectors);
}

yieldToEventLoop("low");
const model = await loadModel(workerData as WorkerData);
let last: Promise<void> | undefined;
port.on("message", (message: WorkerMessage) => {
    if (message === END) {
        detach(Promise.resolve(last).then(() => process.exit()));
        return;
    }
    last = model.embed(message).then(answer, (error: unknown) => {
        answer({ kind: "failed", message: String(error) });
    });
});
answer({ kind: "ready", dimensions: model.dimensions });
