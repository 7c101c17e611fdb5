/** A thread that runs tasks, one after the other. */
import { parentPort, workerData } from "node:worker_threads";

import type { Corpus } from "./corpus.ts";
import { readDataSets } from "./data/dataSets.ts";
import { loadCorpus } from "./loadCorpus.ts";
import { METHODS } from "./methods.ts";
import type { TaskMessage, WorkerOptions } from "./pool.ts";
import { runTask } from "./runTask.ts";
import { UPSTREAM_MODELS } from "./vectors/models.ts";

const { data, texts, seeds, requests, isRewritten } = workerData as WorkerOptions;
const sets = readDataSets(data, texts);
let corpus: { readonly key: string; readonly value: Corpus } | undefined;

async function run({ method: name, ...task }: TaskMessage): Promise<void> {
    const key = `${task.set}, ${task.model}`;
    const set = sets.find((one) => one.name === task.set);
    const model = UPSTREAM_MODELS.find((one) => one.name === task.model);
    const method = METHODS.find((one) => one.name === name);
    if (!set || !model || !method) throw new Error(`Unknown task: ${key}, ${name}`);
    if (corpus?.key !== key)
        corpus = { key, value: await loadCorpus(set, model, isRewritten, console.log) };
    parentPort?.postMessage(runTask(corpus.value, { ...task, method }, seeds, requests));
}

parentPort?.on("message", (task: TaskMessage) => void run(task));
