import { once } from "node:events";
import { Worker, type Transferable } from "node:worker_threads";

import { detach } from "../detach.ts";

/** The thread ended before it responded, most likely because it ran out of memory. */
export interface Failure {
    readonly failure: string;
}

/** A thread that runs one task at a time. */
export interface Thread<Task, Answer> {
    /** @param transferred memory of the task, which is transferred to the thread */
    readonly ask: (task: Task, moved?: readonly Transferable[]) => Promise<Answer | Failure>;
    readonly close: () => Promise<void>;
}

const MAX_YOUNG_MEBIBYTES = 16;

/**
 * Runs tasks that would block the event loop. The thread starts with the first task, and restarts with the
 * next task after a failure.
 *
 * @param file a module as described in taskThreadEntry.ts
 */
export function openThread<Task, Answer>(
    file: URL,
    maxHeapMebibytes: number,
): Thread<Task, Answer> {
    let worker: Worker | undefined;
    let last: Promise<unknown> = Promise.resolve();
    let isClosed = false;

    function openWorker(): Worker {
        const opened = new Worker(new URL("taskThreadEntry.ts", import.meta.url), {
            workerData: file.href,
            resourceLimits: {
                maxOldGenerationSizeMb: maxHeapMebibytes,
                maxYoungGenerationSizeMb: MAX_YOUNG_MEBIBYTES,
            },
        });
        opened.unref();
        // The pending task sees the error, too; without a listener, it would end the process.
        opened.on("error", () => undefined);
        opened.once("exit", () => {
            if (worker === opened) worker = undefined;
        });
        return opened;
    }

    async function run(task: Task, moved: readonly Transferable[]): Promise<Answer | Failure> {
        if (isClosed) return { failure: "the service is closing" };
        const asked = (worker ??= openWorker());
        const gone = new AbortController();
        const leave = (): void => gone.abort();
        asked.once("exit", leave);
        // The response did not fit into memory; retrying would fail again.
        asked.once("messageerror", leave);
        try {
            asked.postMessage(task, moved);
            const answers = once(asked, "message", { signal: gone.signal });
            const [answer] = (await answers) as [Answer];
            return answer;
        } catch (error) {
            worker = undefined;
            detach(asked.terminate());
            return { failure: String(error) };
        } finally {
            asked.off("exit", leave);
            asked.off("messageerror", leave);
        }
    }

    return {
        ask: (task, moved = []) => {
            const answering = last.then(() => run(task, moved));
            last = answering;
            return answering;
        },
        close: async () => {
            isClosed = true;
            await worker?.terminate();
        },
    };
}
