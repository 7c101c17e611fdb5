import { Worker } from "node:worker_threads";

import type { Log } from "../../log.ts";
import { disableTelemetry, endModelThread } from "../../threads/modelThread.ts";
import {
    threadClock,
    type AdoptRequest,
    type Command,
    type FromThread,
    type InspectRequest,
    type LessonRequest,
    type LookupRequest,
    type NamespaceId,
    type NamespaceReport,
    type Question,
    type Replies,
    type RestoreRequest,
    type SaveRequest,
    type ThreadData,
    type ToThread,
} from "./messages.ts";
import { createPauses } from "./pauses.ts";

/** Why a question has no reply. */
export type Unanswered = "busy" | "timeout" | "unavailable";

/** The thread of semantic reuse, as the main thread sees it. It never makes a request fail or wait for the model. */
export interface ReuseThread {
    readonly start: () => void;
    /** Asks a question that a request waits for: at most LOOKUP_MILLISECONDS. */
    readonly lookUp: (question: LookupRequest) => Promise<Replies["look up"] | Unanswered>;
    /** Questions that no request waits for. */
    readonly learn: (question: LessonRequest) => Promise<Replies["learn"] | "unavailable">;
    readonly adopt: (question: AdoptRequest) => Promise<Replies["adopt"] | "unavailable">;
    readonly save: (question: SaveRequest) => Promise<Replies["save"] | "unavailable">;
    readonly restore: (question: RestoreRequest) => Promise<Replies["restore"] | "unavailable">;
    /** Takes INSPECT_MILLISECONDS at most. */
    readonly inspect: (question: InspectRequest) => Promise<Replies["inspect"] | "unavailable">;
    /** Commands given while the thread is down are dropped, because a new thread knows no texts. */
    readonly command: (command: Command) => void;
    readonly state: () => ThreadState;
    /** State of the namespaces within the last second. */
    readonly reports: () => readonly NamespaceReport[];
    readonly close: () => Promise<void>;
}

export interface ThreadState {
    /** `stuck`: a lookup has had no reply for STUCK_MILLISECONDS. */
    readonly state: "starting" | "up" | "stuck" | "restarting" | "closed";
    /** Number of times that the thread ended unexpectedly. */
    readonly restarts: number;
    readonly lastError: string | undefined;
}

export interface ReuseThreadOptions {
    /** Of a thread that is started now. */
    readonly data: () => ThreadData;
    readonly log: Log;
    /** The thread has loaded the model; it knows no texts yet. */
    readonly onReady: () => void;
    readonly startWorker?: (data: ThreadData) => Worker;
    /** Default: LOOKUP_MILLISECONDS. */
    readonly lookupMilliseconds?: number | undefined;
}

/** A text takes about 5 ms, of which most is the model; the upstream takes 100 ms and more. */
export const LOOKUP_MILLISECONDS = 50;
const INSPECT_MILLISECONDS = 1_000;
/** Of all lookups that the thread has not answered: more could not be answered in time. */
const MAX_LOOKUPS = 16;
/** Lessons that are not needed are dropped instead of queued. */
const MAX_LESSONS = 256;
/** A lookup ends much earlier, or is not begun. */
export const STUCK_MILLISECONDS = 1_000;
const FIRST_RESTART_MILLISECONDS = 1_000;
const MAX_RESTART_MILLISECONDS = 60_000;
/** Heap of the thread: the model's vocabulary, and about 500 bytes for each text. */
const HEAP_MEBIBYTES = 96;
const HEAP_BYTES_PER_ENTRY = 1_024;
const BYTES_PER_MEBIBYTE = 1024 * 1024;

interface Pending {
    /** Of a lookup. */
    readonly namespace: NamespaceId | undefined;
    readonly askedAt: number;
    readonly resolve: (reply: Replies[Question["kind"]] | Unanswered) => void;
}

export function createReuseThread(options: ReuseThreadOptions): ReuseThread {
    const { data, log, onReady, startWorker = startReuseWorker } = options;
    const { lookupMilliseconds = LOOKUP_MILLISECONDS } = options;
    /** Until the thread has replied, even if nobody waits any more. */
    const pending = new Map<number, Pending>();
    const pauses = createPauses(log);
    let worker: Worker | undefined;
    let [isUp, isClosed] = [false, false];
    let [restarts, failuresInSequence] = [0, 0];
    let lastError: string | undefined;
    let reports: readonly NamespaceReport[] = [];
    let [nextId, lookups, lessons] = [0, 0, 0];

    function launch(): void {
        const started = startWorker(data());
        worker = started;
        started.unref();
        started.on("message", onMessage);
        started.on("error", (error: Error) => {
            lastError = error.message;
        });
        started.once("exit", onExit);
    }

    function onMessage(message: FromThread): void {
        switch (message.kind) {
            case "ready":
                isUp = true;
                onReady();
                break;
            case "reports":
                ({ reports } = message);
                break;
            case "reply":
                failuresInSequence = 0;
                onReply(message.id, message.milliseconds);
                settle(message.id, message.reply);
                break;
            case "late":
                settle(message.id, "timeout");
                break;
            case "failed":
                log.warn({ error: message.message }, "The thread of semantic reuse failed");
                settle(message.id, "unavailable");
        }
    }

    function onExit(): void {
        [isUp, worker, reports] = [false, undefined, []];
        for (const id of [...pending.keys()]) settle(id, "unavailable");
        if (isClosed) return;
        restarts += 1;
        const delay = Math.min(
            FIRST_RESTART_MILLISECONDS * 2 ** failuresInSequence,
            MAX_RESTART_MILLISECONDS,
        );
        failuresInSequence += 1;
        log.warn({ delay, error: lastError }, "Restarting the thread of semantic reuse");
        setTimeout(() => {
            if (!isClosed) launch();
        }, delay).unref();
    }

    function settle(id: number, reply: Replies[Question["kind"]] | Unanswered): void {
        const settled = pending.get(id);
        if (!settled) return;
        pending.delete(id);
        if (settled.namespace !== undefined) lookups -= 1;
        settled.resolve(reply);
    }

    /** Only a lookup that could not have been in time without any others is slow. */
    function onReply(id: number, milliseconds: number): void {
        const namespace = pending.get(id)?.namespace;
        if (namespace !== undefined) pauses.record(namespace, milliseconds >= lookupMilliseconds);
    }

    function send(message: ToThread): void {
        worker?.postMessage(message);
    }

    function post<Kind extends Question["kind"]>(
        question: Question & { readonly kind: Kind },
        deadline: number,
    ): { readonly id: number; readonly reply: Promise<Replies[Kind] | Unanswered> } {
        const id = nextId++;
        const reply = new Promise<Replies[Kind] | Unanswered>((resolve) => {
            pending.set(id, {
                namespace: question.kind === "look up" ? question.namespace.id : undefined,
                askedAt: threadClock(),
                resolve: resolve as Pending["resolve"],
            });
        });
        send({ id, question, deadline });
        return { id, reply };
    }

    /** Like `post`, for a limited time. */
    async function postFor<Kind extends Question["kind"]>(
        milliseconds: number,
        question: Question & { readonly kind: Kind },
    ): Promise<Replies[Kind] | Unanswered> {
        const { id, reply } = post<Kind>(question, threadClock() + milliseconds);
        // A reply that has arrived during a long turn of the event loop is read before the timeout applies.
        const timer = setTimeout(
            () => setImmediate(() => pending.get(id)?.resolve("timeout")),
            milliseconds,
        );
        const answer = await reply;
        clearTimeout(timer);
        return answer;
    }

    async function lookUp(question: LookupRequest): Promise<Replies["look up"] | Unanswered> {
        if (!isUp || pauses.isPaused(question.namespace.id)) return "unavailable";
        if (lookups >= MAX_LOOKUPS) return "busy";
        lookups += 1;
        return postFor<"look up">(lookupMilliseconds, question);
    }

    async function ask<Kind extends Question["kind"]>(
        question: Question & { readonly kind: Kind },
    ): Promise<Replies[Kind] | "unavailable"> {
        if (!isUp) return "unavailable";
        const reply = await post<Kind>(question, Infinity).reply;
        return typeof reply === "string" ? "unavailable" : reply;
    }

    async function inspect(question: InspectRequest): Promise<Replies["inspect"] | "unavailable"> {
        if (!isUp) return "unavailable";
        const reply = await postFor<"inspect">(INSPECT_MILLISECONDS, question);
        return reply === "busy" || reply === "timeout" ? "unavailable" : reply;
    }

    async function learn(question: LessonRequest): Promise<Replies["learn"] | "unavailable"> {
        if (lessons >= MAX_LESSONS) return "unavailable";
        lessons += question.lessons.length;
        const reply = await ask<"learn">(question);
        lessons -= question.lessons.length;
        return reply;
    }

    return {
        start: () => {
            disableTelemetry();
            launch();
        },
        lookUp,
        learn,
        adopt: ask<"adopt">,
        save: ask<"save">,
        restore: ask<"restore">,
        inspect,
        command: (command) => {
            if (command.kind === "drop") pauses.end(command.namespace);
            if (isUp) send({ id: undefined, command });
        },
        state: () => ({
            state: stateNow(),
            restarts,
            lastError,
        }),
        reports: () => reports,
        close: async () => {
            isClosed = true;
            const end: ToThread = { id: undefined, command: { kind: "end" } };
            if (worker) await endModelThread(worker, end);
        },
    };

    function stateNow(): ThreadState["state"] {
        if (isClosed) return "closed";
        if (!isUp) return restarts === 0 ? "starting" : "restarting";
        const oldest = [...pending.values()].find(({ namespace }) => namespace !== undefined);
        const waited = oldest ? threadClock() - oldest.askedAt : 0;
        return waited < STUCK_MILLISECONDS ? "up" : "stuck";
    }
}

function startReuseWorker(data: ThreadData): Worker {
    const entries = (data.options.maxEntries * HEAP_BYTES_PER_ENTRY) / BYTES_PER_MEBIBYTE;
    return new Worker(new URL("worker.ts", import.meta.url), {
        workerData: data,
        resourceLimits: { maxOldGenerationSizeMb: HEAP_MEBIBYTES + Math.ceil(entries) },
    });
}
