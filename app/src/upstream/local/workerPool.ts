import { Worker } from "node:worker_threads";

import type { Log } from "../../log.ts";
import { disableTelemetry, endModelThread } from "../../threads/modelThread.ts";
import { UpstreamError } from "../upstream.ts";
import { MAX_TOKENS } from "./limits.ts";
import { END, type WorkerResponse, type WorkerData, type WorkerMessage } from "./messages.ts";
import { createRoundRobinQueue, type Call } from "../../threads/roundRobin.ts";

export type EmbeddedTexts = Extract<WorkerResponse, { kind: "embedded" }>;

export interface WorkerPool {
    /** @returns the dimensions of the model, once all workers have loaded it */
    readonly start: () => Promise<number>;
    /**
     * Runs the model once. Workers are shared by tenants in turn, and by the calls of each tenant in turn.
     */
    readonly run: (
        call: Call,
        texts: readonly string[],
        /** In milliseconds of `performance.now()`. */
        deadline: number,
    ) => Promise<EmbeddedTexts>;
    readonly close: () => Promise<void>;
}

interface Task {
    readonly call: Call;
    readonly texts: readonly string[];
    readonly deadline: number;
    /** Number of workers lost while running it. */
    losses: number;
    readonly resolve: (response: EmbeddedTexts) => void;
    readonly reject: (error: Error) => void;
}

interface Slot {
    worker: Worker | undefined;
    ready: boolean;
    task: Task | undefined;
    restarts: number;
}

const MAX_RESTART_DELAY_MILLISECONDS = 30_000;
/** A text that crashes workers must not crash all of them. */
const MAX_LOSSES = 2;

function startWorker(data: WorkerData): Worker {
    return new Worker(new URL("worker.ts", import.meta.url), { workerData: data });
}

/**
 * Keeps `threads` workers alive, each with one run at a time. The run of a lost worker is given to another
 * one.
 */
export function createWorkerPool(
    threads: number,
    data: WorkerData,
    log: Log,
    start: (data: WorkerData) => Worker = startWorker,
): WorkerPool {
    const waiting = createRoundRobinQueue<Task>();
    const slots: Slot[] = Array.from({ length: threads }, () => ({
        worker: undefined,
        ready: false,
        task: undefined,
        restarts: 0,
    }));
    const whenReady = Promise.withResolvers<number>();
    let closed = false;

    function launch(slot: Slot): void {
        const worker = start(data);
        slot.worker = worker;
        worker.on("message", (response: WorkerResponse) => onMessage(slot, response));
        worker.on("error", (error: Error) => {
            log.error({ error: error.message }, "A worker of the local model failed");
            whenReady.reject(error);
        });
        worker.on("exit", () => onExit(slot));
    }

    function onMessage(slot: Slot, response: WorkerResponse): void {
        if (response.kind === "ready") {
            slot.ready = true;
            if (slots.every(({ ready }) => ready)) whenReady.resolve(response.dimensions);
        } else {
            const task = slot.task;
            slot.task = undefined;
            slot.restarts = 0;
            if (task) settleTask(task, response);
        }
        assignTask(slot);
    }

    function onExit(slot: Slot): void {
        const { task } = slot;
        slot.ready = false;
        slot.worker = undefined;
        slot.task = undefined;
        if (task) retryTask(task);
        if (closed) return;
        const delay = Math.min(100 * 2 ** slot.restarts, MAX_RESTART_DELAY_MILLISECONDS);
        slot.restarts += 1;
        log.warn({ delay, again: task !== undefined }, "Restarting a worker of the local model");
        setTimeout(() => {
            if (!closed) launch(slot);
        }, delay).unref();
    }

    async function end({ worker }: Slot): Promise<void> {
        if (worker) await endModelThread(worker, END satisfies WorkerMessage);
    }

    function retryTask(task: Task): void {
        task.losses += 1;
        if (closed || task.losses >= MAX_LOSSES) {
            task.reject(unavailableError("The local model failed; try again"));
            return;
        }
        waiting.addFirst(task.call, task);
        for (const slot of slots) assignTask(slot);
    }

    function assignTask(slot: Slot): void {
        if (!slot.ready || slot.task) return;
        const task = nextTask();
        if (!task) return;
        slot.task = task;
        slot.worker?.postMessage({ texts: task.texts } satisfies WorkerMessage);
    }

    /** Expired tasks are not run. */
    function nextTask(): Task | undefined {
        for (;;) {
            const task = waiting.next();
            if (!task || performance.now() < task.deadline) return task;
        }
    }

    return {
        start: () => {
            disableTelemetry();
            for (const slot of slots) launch(slot);
            return whenReady.promise;
        },
        run: (call, texts, deadline) => {
            if (closed) return Promise.reject(unavailableError("The local model is shutting down"));
            const { promise, resolve, reject } = Promise.withResolvers<EmbeddedTexts>();
            const task = { call, texts, deadline, losses: 0, resolve, reject };
            const timeout = setTimeout(() => reject(timeoutError()), deadline - performance.now());
            const stopTimeout = (): void => clearTimeout(timeout);
            promise.then(stopTimeout, stopTimeout);
            waiting.add(call, task);
            for (const slot of slots) assignTask(slot);
            return promise;
        },
        close: async () => {
            closed = true;
            whenReady.promise.catch(() => undefined);
            whenReady.reject(unavailableError("The local model is shutting down"));
            for (const task of waiting.clear()) {
                task.reject(unavailableError("The local model is shutting down"));
            }
            await Promise.all(slots.map(end));
        },
    };
}

function settleTask(task: Task, response: Exclude<WorkerResponse, { kind: "ready" }>): void {
    switch (response.kind) {
        case "embedded":
            task.resolve(response);
            break;
        case "failed":
            task.reject(unavailableError("The local model failed; try again"));
            break;
        case "tooLong":
            task.reject(tooManyTokensError());
    }
}

function tooManyTokensError(): UpstreamError {
    const message = `An input has more than ${MAX_TOKENS} tokens; allowed: at most ${MAX_TOKENS}`;
    return new UpstreamError(400, "context_length_exceeded", message);
}

function timeoutError(): UpstreamError {
    return new UpstreamError(504, "upstream_timeout", "The local model did not answer in time");
}

function unavailableError(message: string): UpstreamError {
    return new UpstreamError(503, "model_unavailable", message);
}
