import { setTimeout as wait } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import type { Log } from "../../log.ts";
import { UpstreamError } from "../upstream.ts";
import { MAX_TOKENS } from "./limits.ts";
import type { WorkerAnswer, WorkerData, WorkerRequest } from "./messages.ts";

export type EmbeddedTexts = Extract<WorkerAnswer, { kind: "embedded" }>;

export interface Workers {
    /** @returns the length of the model's vectors, once every worker has loaded it. */
    readonly start: () => Promise<number>;
    /** One run of the model. Calls share the workers in turn, whatever their size. */
    readonly run: (
        call: object,
        texts: readonly string[],
        /** In milliseconds of `performance.now()`. */
        deadline: number,
    ) => Promise<EmbeddedTexts>;
    readonly close: () => Promise<void>;
}

interface Task {
    readonly call: object;
    readonly texts: readonly string[];
    readonly deadline: number;
    /** Workers that were lost over it. */
    losses: number;
    readonly resolve: (answer: EmbeddedTexts) => void;
    readonly reject: (error: Error) => void;
}

interface Slot {
    worker: Worker | undefined;
    ready: boolean;
    task: Task | undefined;
    restarts: number;
}

const MAX_RESTART_DELAY_MILLISECONDS = 30_000;
/** A run takes a tenth of a second, on a busy machine a second or two. */
const LAST_RUN_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 5;
/** Run a third time, a text that kills workers would kill them all. */
const MOST_LOSSES = 2;

function openWorker(data: WorkerData): Worker {
    return new Worker(new URL("worker.ts", import.meta.url), { workerData: data });
}

/**
 * Keeps `threads` workers alive and gives each one run at a time. The run of a worker that was lost is
 * given to another one.
 */
export function workers(
    threads: number,
    data: WorkerData,
    log: Log,
    open: (data: WorkerData) => Worker = openWorker,
): Workers {
    /** Waiting runs by call, in turn: a call goes to the end of the line after each run it gets. */
    const waiting = new Map<object, Task[]>();
    const slots: Slot[] = Array.from({ length: threads }, () => ({
        worker: undefined,
        ready: false,
        task: undefined,
        restarts: 0,
    }));
    const started = Promise.withResolvers<number>();
    let closed = false;

    function launch(slot: Slot): void {
        const worker = open(data);
        slot.worker = worker;
        worker.on("message", (answer: WorkerAnswer) => receive(slot, answer));
        worker.on("error", (error: Error) => {
            log.error({ error: error.message }, "A worker of the local model failed");
            started.reject(error);
        });
        worker.on("exit", () => lost(slot));
    }

    function receive(slot: Slot, answer: WorkerAnswer): void {
        if (answer.kind === "ready") {
            slot.ready = true;
            if (slots.every(({ ready }) => ready)) started.resolve(answer.dimensions);
        } else {
            const task = slot.task;
            slot.task = undefined;
            slot.restarts = 0;
            if (task) settle(task, answer);
        }
        next(slot);
    }

    function lost(slot: Slot): void {
        const { task } = slot;
        slot.ready = false;
        slot.worker = undefined;
        slot.task = undefined;
        if (task) again(task);
        if (closed) return;
        const delay = Math.min(100 * 2 ** slot.restarts, MAX_RESTART_DELAY_MILLISECONDS);
        slot.restarts += 1;
        log.warn({ delay, again: task !== undefined }, "Restarting a worker of the local model");
        setTimeout(() => {
            if (!closed) launch(slot);
        }, delay).unref();
    }

    /** A thread that is ended within a run takes the process with it: the native runtime then aborts. */
    async function end(slot: Slot): Promise<void> {
        const until = performance.now() + LAST_RUN_MILLISECONDS;
        while (slot.task && performance.now() < until) await wait(POLL_MILLISECONDS);
        await slot.worker?.terminate();
    }

    function again(task: Task): void {
        task.losses += 1;
        if (closed || task.losses >= MOST_LOSSES) {
            task.reject(unavailable("The local model failed; try again"));
            return;
        }
        waiting.set(task.call, [task, ...(waiting.get(task.call) ?? [])]);
        for (const slot of slots) next(slot);
    }

    function next(slot: Slot): void {
        if (!slot.ready || slot.task) return;
        const task = taken();
        if (!task) return;
        slot.task = task;
        slot.worker?.postMessage({ texts: task.texts } satisfies WorkerRequest);
    }

    /** What nobody waits for any more is not run. */
    function taken(): Task | undefined {
        for (;;) {
            const [head] = waiting;
            if (!head) return undefined;
            const [call, tasks] = head;
            const task = tasks.shift();
            waiting.delete(call);
            if (tasks.length > 0) waiting.set(call, tasks);
            if (task && performance.now() < task.deadline) return task;
        }
    }

    return {
        start: () => {
            // From 1.29 on the native runtime reports every session to its makers unless this is set, and it
            // reads the process's environment, which only the main thread can change.
            process.env.ORT_DISABLE_TELEMETRY = "1";
            for (const slot of slots) launch(slot);
            return started.promise;
        },
        run: (call, texts, deadline) => {
            if (closed) return Promise.reject(unavailable("The local model is shutting down"));
            const { promise, resolve, reject } = Promise.withResolvers<EmbeddedTexts>();
            const tasks = waiting.get(call);
            const task = { call, texts, deadline, losses: 0, resolve, reject };
            const late = setTimeout(() => reject(overdue()), deadline - performance.now());
            const done = (): void => clearTimeout(late);
            promise.then(done, done);
            if (tasks) tasks.push(task);
            else waiting.set(call, [task]);
            for (const slot of slots) next(slot);
            return promise;
        },
        close: async () => {
            closed = true;
            for (const task of [...waiting.values()].flat()) {
                task.reject(unavailable("The local model is shutting down"));
            }
            waiting.clear();
            await Promise.all(slots.map(end));
        },
    };
}

function settle(task: Task, answer: Exclude<WorkerAnswer, { kind: "ready" }>): void {
    switch (answer.kind) {
        case "embedded":
            task.resolve(answer);
            break;
        case "failed":
            task.reject(unavailable("The local model failed; try again"));
            break;
        case "tooLong":
            task.reject(tooLong(answer.tokens));
    }
}

function tooLong(tokens: number): UpstreamError {
    const message = `An input has ${tokens} tokens; allowed: at most ${MAX_TOKENS}`;
    return new UpstreamError(400, "context_length_exceeded", message);
}

function overdue(): UpstreamError {
    return new UpstreamError(504, "upstream_timeout", "The local model did not answer in time");
}

function unavailable(message: string): UpstreamError {
    return new UpstreamError(503, "model_unavailable", message);
}
