import { setTimeout as wait } from "node:timers/promises";

import { toThreadTime, wallClock } from "../../clock.ts";
import { detach } from "../../detach.ts";
import type { Log } from "../../log.ts";
import { endOf, type Embedding } from "../../vector/embedding.ts";
import type {
    Adopted,
    AdoptRequest,
    NamespaceId,
    NamespaceRef,
    SealedText,
} from "../thread/messages.ts";
import type { TextStore } from "./textStore.ts";

/** Brings texts from Redis into the thread: all of them at first, then those of other pods. */
export interface TextFollower {
    readonly follow: (namespace: NamespaceRef) => void;
    readonly unfollow: (id: NamespaceId) => void;
    /** The thread has these texts already. */
    readonly markSeen: (id: NamespaceId, texts: readonly Pick<SealedText, "key">[]) => void;
    /** Begins again, because the thread knows no texts. */
    readonly restart: () => void;
    readonly start: () => void;
    readonly stop: () => void;
}

export interface TextFollowerOptions {
    readonly store: TextStore;
    readonly readVectors: (
        keys: readonly string[],
        dimensions: number,
    ) => Promise<ReadonlyMap<string, Embedding>>;
    /** How long an entry is kept after it became stale. */
    readonly staleSeconds: number;
    readonly adopt: (request: AdoptRequest) => Promise<Adopted | "unavailable">;
    /** The thread has all texts of a namespace that were in Redis. Called again until it is successful. */
    readonly onComplete: (namespace: NamespaceRef) => Promise<void>;
    readonly log: Log;
    /** In milliseconds since the Unix epoch. */
    readonly now?: () => number;
}

interface Progress {
    readonly namespace: NamespaceRef;
    /** Time of the last text that was read. */
    time: number;
    /** Texts that need not be read again, and their times. */
    readonly seen: Map<string, number>;
    isComplete: boolean;
}

const POLL_MILLISECONDS = 5_000;
/** Each text takes about a millisecond of the thread, for which lookups wait. */
const TEXTS_PER_BATCH = 8;
/** Clocks of pods differ: a text may appear with an earlier time than the last one. */
const CLOCK_MILLISECONDS = 10_000;
const PAUSE_MILLISECONDS = 1;

export function createTextFollower(options: TextFollowerOptions): TextFollower {
    const { store, readVectors, staleSeconds, adopt, onComplete, log, now = wallClock } = options;
    const followed = new Map<NamespaceId, Progress>();
    let timer: NodeJS.Timeout | undefined;
    let [isPolling, isOutdated] = [false, false];

    async function poll(): Promise<void> {
        isOutdated = true;
        if (isPolling) return;
        isPolling = true;
        while (isOutdated) {
            isOutdated = false;
            for (const progress of [...followed.values()]) await follow(progress);
        }
        isPolling = false;
    }

    async function follow(progress: Progress): Promise<void> {
        try {
            while (followed.get(progress.namespace.id) === progress && (await step(progress)))
                await wait(PAUSE_MILLISECONDS);
            if (progress.isComplete || followed.get(progress.namespace.id) !== progress) return;
            await onComplete(progress.namespace);
            progress.isComplete = true;
        } catch (error) {
            log.debug({ error: String(error) }, "Texts of semantic reuse could not be read");
        }
    }

    /** @returns whether there may be more texts @throws Error if they cannot be read or given to the thread now */
    async function step(progress: Progress): Promise<boolean> {
        const { namespace, seen } = progress;
        const from = Math.min(progress.time, now() - CLOCK_MILLISECONDS);
        for (const [key, time] of seen) if (time < from) seen.delete(key);
        const count = TEXTS_PER_BATCH + seen.size;
        const listed = await store.readSince(namespace.id, from, count);
        const keys = listed.map(({ key }) => key).filter((key) => !seen.has(key));
        if (keys.length > 0) await bring(namespace, keys);
        for (const { key, time } of listed) seen.set(key, time);
        progress.time = Math.max(progress.time, listed.at(-1)?.time ?? 0);
        return listed.length === count;
    }

    async function bring(namespace: NamespaceRef, keys: readonly string[]): Promise<void> {
        const { id, dimensions } = namespace;
        const [sealed, vectors] = await Promise.all([
            store.read(id, keys),
            readVectors(keys, dimensions),
        ]);
        // Without its vector, a text has expired, or it was flagged or deleted.
        const texts = sealed.flatMap((one) => {
            const embedding = vectors.get(one.key);
            if (!embedding) return [];
            const usableUntil = toThreadTime(endOf(embedding, staleSeconds));
            return [{ ...one, vector: embedding.vector, usableUntil }];
        });
        if (!followed.has(id)) return;
        const adopted = await adopt({ kind: "adopt", namespace, texts });
        if (adopted === "unavailable") throw new Error("The thread is not running");
        if (adopted.unreadable.length > 0) await store.remove(id, adopted.unreadable);
    }

    function begin(namespace: NamespaceRef): void {
        followed.set(namespace.id, { namespace, time: 0, seen: new Map(), isComplete: false });
    }

    return {
        follow: (namespace) => {
            begin(namespace);
            detach(poll());
        },
        unfollow: (id) => void followed.delete(id),
        markSeen: (id, texts) => {
            const seen = followed.get(id)?.seen;
            for (const { key } of texts) seen?.set(key, now());
        },
        restart: () => {
            for (const { namespace } of [...followed.values()]) begin(namespace);
            detach(poll());
        },
        start: () => {
            timer = setInterval(() => detach(poll()), POLL_MILLISECONDS).unref();
        },
        stop: () => {
            clearInterval(timer);
            followed.clear();
        },
    };
}
