import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { detach } from "../../detach.ts";
import type { Log } from "../../log.ts";
import { UpstreamError } from "../upstream.ts";
import { MAX_TOKENS } from "./limits.ts";
import { END, type WorkerAnswer, type WorkerData, type WorkerMessage } from "./messages.ts";
import { turns, type Call } from "../roundRobin.ts";

export type EmbeddedTexts = Extract<WorkerAnswer, { kind: "embedded" }>;

export interface Workers {
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
/**
 * A run takes a tenth of a second and loading the model somewhat longer; on a machine with thirty times the
 * load, half a minute.
 */
const LONGEST_END_MILLISECONDS = 60_000;
/** A text that crashes workers must not crash all of them. */
const MOST_LOSSES = 2;

function openWorker(data: WorkerData): Worker {
    return new Worker(new URL("worker.ts", import.meta.url), { workerData: data });
}

/**
 * Keeps `threads` workers alive, each with one run at a time. The run of a lost worker is given to another
 * one.
 */
export function workers(
    threads: number,
    data: WorkerData,
    log: Log,
    open: (data: WorkerData) => Worker = openWorker,
): Workers {
    const waiting = turns<Task>();
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

    /**
     * The thread ends itself. Terminating it while it loads or runs the model would abort the process in the
     * native runtime.
     */
    async function end({ worker }: Slot): Promise<void> {
        if (!worker) return;
        const ended = once(worker, "exit");
        worker.postMessage(END satisfies WorkerMessage);
        const hanging = setTimeout(() => detach(worker.terminate()), LONGEST_END_MILLISECONDS);
        await ended.catch(() => once(worker, "exit"));
        clearTimeout(hanging);
    }

    function again(task: Task): void {
        task.losses += 1;
        if (closed || task.losses >= MOST_LOSSES) {
            task.reject(unavailable("The local model failed; try again"));
            return;
        }
        waiting.addFirst(task.call, task);
        for (const slot of slots) next(slot);
    }

    function next(slot: Slot): void {
        if (!slot.ready || slot.task) return;
        const task = taken();
        if (!task) return;
        slot.task = task;
        slot.worker?.postMessage({ texts: task.texts } satisfies WorkerMessage);
    }

    /** Expired tasks are not run. */
    function taken(): Task | undefined {
        for (;;) {
            const task = waiting.next();
            if (!task || performance.now() < task.deadline) return task;
        }
    }

    return {
        start: () => {
            // From 1.29 on, the native runtime sends telemetry about each session unless this is set. It
            // reads the process environment, which only the main thread can change.
            process.env.ORT_DISABLE_TELEMETRY = "1";
            for (const slot of slots) launch(slot);
            return started.promise;
        },
        run: (call, texts, deadline) => {
            if (closed) return Promise.reject(unavailable("The local model is shutting down"));
            const { promise, resolve, reject } = Promise.withResolvers<EmbeddedTexts>();
            const task = { call, texts, deadline, losses: 0, resolve, reject };
            const late = setTimeout(() => reject(overdue()), deadline - performance.now());
            const done = (): void => clearTimeout(late);
            promise.then(done, done);
            waiting.add(call, task);
            for (const slot of slots) next(slot);
            return promise;
        },
        close: async () => {
            closed = true;
            started.promise.catch(() => undefined);
            started.reject(unavailable("The local model is shutting down"));
            for (const task of waiting.clear()) {
                task.reject(unavailable("The local model is shutting down"));
            }
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
            task.reject(tooLong());
    }
}

function tooLong(): UpstreamError {
    const message = `An input has more than ${MAX_TOKENS} tokens; allowed: at most ${MAX_TOKENS}`;
    return new UpstreamError(400, "context_length_exceeded", message);
}

function overdue(): UpstreamError {
    return new UpstreamError(504, "upstream_timeout", "The local model did not answer in time");
}

function unavailable(message: string): UpstreamError {
    return new UpstreamError(503, "model_unavailable", message);
}
