import { once } from "node:events";
import { Worker, type Transferable } from "node:worker_threads";

import { detach } from "../detach.ts";
import { createRoundRobinQueue } from "./roundRobin.ts";

/** The thread ended before it responded, most likely because it ran out of memory. */
export interface Failure {
    readonly failure: string;
}

/** A thread that runs one task at a time. */
export interface TaskThread<Task, Result> {
    /**
     * @param transferred memory of the task, which is transferred to the thread
     * @param tenant tasks of several tenants run in turn; those of one, in their order
     */
    readonly run: (
        task: Task,
        transferred?: readonly Transferable[],
        tenant?: string,
    ) => Promise<Result | Failure>;
    readonly close: () => Promise<void>;
}

const MAX_YOUNG_MEBIBYTES = 16;

/**
 * Runs tasks that would block the event loop. The thread starts with the first task, and restarts with the
 * next task after a failure.
 *
 * @param file a module as described in taskThreadEntry.ts
 */
export function createTaskThread<Task, Result>(
    file: URL,
    maxHeapMebibytes: number,
): TaskThread<Task, Result> {
    let worker: Worker | undefined;
    const waiting = createRoundRobinQueue<() => Promise<void>>();
    let isRunning = false;
    let isClosed = false;

    function startWorker(): Worker {
        const started = new Worker(new URL("taskThreadEntry.ts", import.meta.url), {
            workerData: file.href,
            resourceLimits: {
                maxOldGenerationSizeMb: maxHeapMebibytes,
                maxYoungGenerationSizeMb: MAX_YOUNG_MEBIBYTES,
            },
        });
        started.unref();
        // The pending task sees the error, too; without a listener, it would end the process.
        started.on("error", () => undefined);
        started.once("exit", () => {
            if (worker === started) worker = undefined;
        });
        return started;
    }

    async function runNow(
        task: Task,
        transferred: readonly Transferable[],
    ): Promise<Result | Failure> {
        if (isClosed) return { failure: "the service is closing" };
        const current = (worker ??= startWorker());
        const lost = new AbortController();
        const onLost = (): void => lost.abort();
        current.once("exit", onLost);
        // The response did not fit into memory; retrying would fail again.
        current.once("messageerror", onLost);
        try {
            current.postMessage(task, transferred);
            const message = once(current, "message", { signal: lost.signal });
            const [answer] = (await message) as [Result];
            return answer;
        } catch (error) {
            worker = undefined;
            detach(current.terminate());
            return { failure: String(error) };
        } finally {
            current.off("exit", onLost);
            current.off("messageerror", onLost);
        }
    }

    async function runAll(): Promise<void> {
        if (isRunning) return;
        isRunning = true;
        for (let next = waiting.next(); next; next = waiting.next()) await next();
        isRunning = false;
    }

    return {
        run: (task, transferred = [], tenant = "") => {
            const { promise, resolve, reject } = Promise.withResolvers<Result | Failure>();
            waiting.add({ tenant }, () => runNow(task, transferred).then(resolve, reject));
            detach(runAll());
            return promise;
        },
        close: async () => {
            isClosed = true;
            await worker?.terminate();
        },
    };
}
