import { Worker } from "node:worker_threads";

import type { TokenCounter } from "../upstream.ts";
import { nativeDimensions } from "./models.ts";

/** Texts to count. The result has the same ID. */
export interface CountTask {
    readonly id: number;
    readonly texts: readonly string[];
    readonly max: number;
}

export type CountResult =
    | { readonly id: number; readonly tokens: readonly number[] }
    | { readonly id: number; readonly failure: string };

/**
 * Counts for the shares of a bill, which bytes can decide, too: rejects while many texts are being counted for shares.
 */
export type ShareCounter = (texts: readonly string[]) => Promise<readonly number[]>;

export interface TokenCounterThread {
    readonly count: TokenCounter;
    readonly countForShares: ShareCounter;
    readonly close: () => Promise<void>;
}

interface Pending {
    readonly resolve: (tokens: readonly number[]) => void;
    readonly reject: (error: Error) => void;
    /** Undefined if none of the texts is long. */
    readonly longCharacters: number | undefined;
}

/** Longer texts are queued separately, so that shorter ones never wait for them. */
const LONG_CHARACTERS = 16 * 1024;
/** Long texts in the thread at once: each is copied into its memory. */
const MAX_LONG_CHARACTERS = 8 * 1024 * 1024;
/**
 * Texts that are counted for shares at once, about 0.3 s. A bulk job with faster calls would fill the thread's memory,
 * and requests whose limits are checked would wait for texts that no call needs any more.
 */
export const MAX_SHARE_CHARACTERS = 1024 * 1024;
/** The tables take about 50 MB. */
const MAX_HEAP_MEBIBYTES = 96;
const MAX_YOUNG_MEBIBYTES = 16;

/**
 * Counts tokens in a separate thread, which keeps the tables out of the main heap; a text of one megabyte
 * takes a third of a second.
 *
 * @returns undefined for a model with an unknown vocabulary
 */
export function createTokenCounterThread(model: string): TokenCounterThread | undefined {
    if (nativeDimensions(model) === undefined) return undefined;
    const pending = new Map<number, Pending>();
    const unsent: CountTask[] = [];
    /** Queued long texts. */
    const queuedLong: { readonly task: CountTask; readonly characters: number }[] = [];
    let worker: Worker | undefined;
    let longCharacters = 0;
    let shareCharacters = 0;
    let ids = 0;

    function startWorker(): Worker {
        const started = new Worker(new URL("tokenCounterWorker.ts", import.meta.url), {
            workerData: { model },
            resourceLimits: {
                maxOldGenerationSizeMb: MAX_HEAP_MEBIBYTES,
                maxYoungGenerationSizeMb: MAX_YOUNG_MEBIBYTES,
            },
        });
        started.unref();
        let reason = "it ended";
        started.on("error", (error) => (reason = String(error)));
        started.on("message", (results: readonly CountResult[]) => results.forEach(settle));
        started.once("exit", () => {
            if (worker === started) worker = undefined;
            const ids = [...pending.keys()];
            queuedLong.length = 0;
            for (const id of ids) settle({ id, failure: `The token counter failed: ${reason}` });
        });
        return started;
    }

    function settle(result: CountResult): void {
        const one = pending.get(result.id);
        if (!one) return;
        pending.delete(result.id);
        if (one.longCharacters !== undefined) {
            longCharacters -= one.longCharacters;
            sendLong();
        }
        if ("failure" in result) one.reject(new Error(result.failure));
        else one.resolve(result.tokens);
    }

    function sendLong(): void {
        for (let [next] = queuedLong; next; [next] = queuedLong) {
            const { task, characters } = next;
            if (longCharacters > 0 && longCharacters + characters > MAX_LONG_CHARACTERS) return;
            queuedLong.shift();
            longCharacters += characters;
            send(task);
        }
    }

    /** Sends all tasks of one turn in one message. */
    function send(task: CountTask): void {
        if (unsent.push(task) === 1) setImmediate(flush);
    }

    function flush(): void {
        (worker ??= startWorker()).postMessage(unsent.splice(0));
    }

    function countAll(texts: readonly string[], max: number): Promise<readonly number[]> {
        const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
        const task = { id: (ids += 1), texts, max };
        const isLong = texts.some(({ length }) => length > LONG_CHARACTERS);
        const characters = countCharacters(texts);
        const longCharacters = isLong ? characters : undefined;
        pending.set(task.id, { resolve, reject, longCharacters });
        if (isLong) {
            queuedLong.push({ task, characters });
            sendLong();
        } else send(task);
        return promise;
    }

    return {
        count: async (text, max) => (await countAll([text], max))[0] ?? 0,
        countForShares: async (texts) => {
            const characters = countCharacters(texts);
            if (shareCharacters + characters > MAX_SHARE_CHARACTERS)
                throw new Error("Too many texts are being counted");
            shareCharacters += characters;
            try {
                return await countAll(texts, Infinity);
            } finally {
                shareCharacters -= characters;
            }
        },
        close: async () => {
            await worker?.terminate();
        },
    };
}

function countCharacters(texts: readonly string[]): number {
    return texts.reduce((sum, { length }) => sum + length, 0);
}
