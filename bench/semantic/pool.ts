import { once } from "node:events";
import { Worker } from "node:worker_threads";

import type { Task } from "./plan.ts";
import type { Seeds, Summary } from "./runTask.ts";

/** The same for all threads. */
export interface WorkerOptions {
    readonly data: string;
    readonly texts: number;
    readonly seeds: Seeds;
    readonly requests: number;
    readonly isRewritten: boolean;
}

/** A task without functions, which cannot be sent to a thread. */
export type TaskMessage = Omit<Task, "method"> & { readonly method: string };

/**
 * Runs tasks on threads, in their order, and stops starting tasks after a time.
 *
 * @param endsAt on the clock of `performance.now`
 */
export async function runTasks(
    tasks: readonly Task[],
    options: WorkerOptions,
    threads: number,
    endsAt: number,
    onDone: (task: Task, summary: Summary) => void,
): Promise<void> {
    const waiting = tasks.values();
    const runOnThread = async (): Promise<void> => {
        const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: options });
        try {
            while (performance.now() < endsAt) {
                const { value: task } = waiting.next();
                if (!task) break;
                onDone(task, await runOn(worker, task));
            }
        } finally {
            await worker.terminate();
        }
    };
    const count = Math.min(threads, tasks.length);
    await Promise.all(Array.from({ length: count }, runOnThread));
}

async function runOn(worker: Worker, task: Task): Promise<Summary> {
    // Rejects if the thread fails first.
    const answered = once(worker, "message");
    worker.postMessage({ ...task, method: task.method.name } satisfies TaskMessage);
    const [summary] = (await answered) as [Summary];
    return summary;
}
