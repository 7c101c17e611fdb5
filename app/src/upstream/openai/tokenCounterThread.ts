import { Worker } from "node:worker_threads";

import type { TokenCounter } from "../upstream.ts";
import { nativeDimensions } from "./models.ts";

/** A text to count. The result has the same ID. */
export interface CountTask {
    readonly id: number;
    readonly text: string;
    readonly most: number;
}

export type CountAnswer =
    | { readonly id: number; readonly tokens: number }
    | { readonly id: number; readonly failure: string };

export interface TokenThread {
    readonly count: TokenCounter;
    readonly close: () => Promise<void>;
}

interface Pending {
    readonly resolve: (tokens: number) => void;
    readonly reject: (error: Error) => void;
    readonly characters: number;
}

/** Longer texts are queued separately, so that shorter ones never wait for them. */
const LONG_CHARACTERS = 16 * 1024;
/** Long texts in the thread at once: each is copied into its memory. */
const MOST_LONG_CHARACTERS = 8 * 1024 * 1024;
/** The tables take about 50 MB. */
const MAX_HEAP_MEBIBYTES = 96;
const MAX_YOUNG_MEBIBYTES = 16;

/**
 * Counts tokens in a separate thread, which keeps the tables out of the main heap; a text of one megabyte
 * takes a third of a second.
 *
 * @returns undefined for a model with an unknown vocabulary
 */
export function tokenThread(model: string): TokenThread | undefined {
    if (nativeDimensions(model) === undefined) return undefined;
    const pending = new Map<number, Pending>();
    const unsent: CountTask[] = [];
    /** Queued long texts. */
    const waiting: CountTask[] = [];
    let worker: Worker | undefined;
    let longCharacters = 0;
    let ids = 0;

    function openWorker(): Worker {
        const opened = new Worker(new URL("tokenCounterWorker.ts", import.meta.url), {
            workerData: { model },
            resourceLimits: {
                maxOldGenerationSizeMb: MAX_HEAP_MEBIBYTES,
                maxYoungGenerationSizeMb: MAX_YOUNG_MEBIBYTES,
            },
        });
        opened.unref();
        let reason = "it ended";
        opened.on("error", (error) => (reason = String(error)));
        opened.on("message", (answers: readonly CountAnswer[]) => answers.forEach(settle));
        opened.once("exit", () => {
            if (worker === opened) worker = undefined;
            const ids = [...pending.keys()];
            waiting.length = 0;
            for (const id of ids) settle({ id, failure: `The token counter failed: ${reason}` });
        });
        return opened;
    }

    function settle(answer: CountAnswer): void {
        const one = pending.get(answer.id);
        if (!one) return;
        pending.delete(answer.id);
        if (one.characters > LONG_CHARACTERS) {
            longCharacters -= one.characters;
            sendLong();
        }
        if ("failure" in answer) one.reject(new Error(answer.failure));
        else one.resolve(answer.tokens);
    }

    function sendLong(): void {
        for (let [next] = waiting; next; [next] = waiting) {
            const { length } = next.text;
            if (longCharacters > 0 && longCharacters + length > MOST_LONG_CHARACTERS) return;
            waiting.shift();
            longCharacters += length;
            send(next);
        }
    }

    /** Sends all tasks of one turn in one message. */
    function send(task: CountTask): void {
        if (unsent.push(task) === 1) setImmediate(flush);
    }

    function flush(): void {
        (worker ??= openWorker()).postMessage(unsent.splice(0));
    }

    return {
        count: (text, most) => {
            const { promise, resolve, reject } = Promise.withResolvers<number>();
            const task = { id: (ids += 1), text, most };
            pending.set(task.id, { resolve, reject, characters: text.length });
            if (text.length <= LONG_CHARACTERS) send(task);
            else {
                waiting.push(task);
                sendLong();
            }
            return promise;
        },
        close: async () => {
            await worker?.terminate();
        },
    };
}
