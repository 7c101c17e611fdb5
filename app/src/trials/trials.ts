import {
    QUARANTINE_PROPAGATION_MILLISECONDS,
    type QuarantineReason,
} from "@property-search/contract";

import { polled } from "../cache/polled.ts";
import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Life } from "../vector/embedding.ts";
import type { Stored, TrialStore } from "./store.ts";
import { begun, doubtOf, isLater, kept, promoted, type Order, type Trial } from "./trial.ts";

/** By whom an entry was made, and when. */
export type Made = Pick<Life, "writer" | "createdAt">;

export type Wish = Pick<Trial, "writer" | "release" | "actor" | "reason">;

/**
 * A build on trial shares Redis with the others, but not what it makes: while its model may yet turn out to
 * be wrong, nobody else serves it. Trials are kept in Redis and polled by every pod, as withdrawals are. The
 * later record of a build holds, so that the union of what a pod and Redis know is right, whoever forgot
 * something.
 */
export interface Trials {
    /** Digest of this pod's build. */
    readonly writer: string;
    /** Why this pod must not serve an entry that it finds in Redis; undefined: it may. */
    readonly refusal: (made: Made) => QuarantineReason | undefined;
    /** The same of an entry in this pod's memory, where it stays while Redis is away. */
    readonly barred: (made: Made) => boolean;
    /** Whether everybody would serve it. */
    readonly trusted: (made: Made) => boolean;
    /** The record of this pod's own build. */
    readonly own: () => Trial | undefined;
    /** The latest first. */
    readonly list: () => readonly Trial[];
    /** Whether they were read lately: while they were not, entries of other builds are misses. */
    readonly current: () => boolean;
    /**
     * Here at once; in other pods within QUARANTINE_PROPAGATION_MILLISECONDS.
     *
     * @param since see `begun`
     * @throws Error while Redis is away
     */
    readonly begin: (wish: Wish, since?: number) => Promise<Trial>;
    /** @throws OtherRelease; Error like `begin` */
    readonly promote: (wish: Wish) => Promise<Trial>;
    readonly start: () => Promise<void>;
    readonly stop: () => void;
}

export interface TrialsOptions {
    readonly store: TrialStore;
    /** Digest of this pod's build. */
    readonly writer: string;
    /** How long an entry lives that this pod makes now. */
    readonly lifeMilliseconds: number;
    /** Takes entries out of this process's cache. */
    readonly evict: (which: (made: Made) => boolean) => void;
    readonly log: Log;
}

/** A record is kept so much longer than entries live, and lengthened when that is used up. */
const SPARE_MILLISECONDS = 3_600_000;
/** Of an order, when other pods change the same record at the same time. */
const ATTEMPTS = 5;

export function openTrials(options: TrialsOptions): Trials {
    const { store, writer: own, lifeMilliseconds, evict, log } = options;
    const known = new Map<string, Trial>();
    /** Of Redis when it held all that is known here; null: it may not. */
    let version: string | null = null;
    let readAt = -Infinity;
    const { start, stop } = polled({
        name: "Trials",
        read,
        onReachable: store.onReachable,
        log,
    });

    const doubt = ({
        writer = own,
        createdAt,
    }: Made): "quarantined" | "not_promoted" | undefined => {
        const trial = known.get(writer);
        return trial && doubtOf(trial, createdAt);
    };
    const isOwn = ({ writer }: Made): boolean => writer === undefined || writer === own;
    const current = (): boolean => performance.now() - readAt < QUARANTINE_PROPAGATION_MILLISECONDS;

    function refusal(made: Made): QuarantineReason | undefined {
        const reason = doubt(made);
        if (isOwn(made)) return reason === "not_promoted" ? reason : undefined;
        return reason ?? (current() ? undefined : "state_unknown");
    }

    function barred(made: Made): boolean {
        const reason = doubt(made);
        return reason === "not_promoted" || (reason === "quarantined" && !isOwn(made));
    }

    async function read(): Promise<void> {
        const asked = performance.now();
        const there = await store.version();
        const lengthened = lengthen();
        // An emptied Redis has no version, and gets back what this pod knows.
        const asBefore = there === version && (there !== null || known.size === 0);
        if (lengthened || !asBefore) {
            const stored = await store.all();
            takeAll(stored);
            readAt = asked;
            if (await restore(stored)) version = there;
        }
        readAt = asked;
    }

    /** Ends what is over. What this pod makes now is alive for as long as entries are. */
    function lengthen(): boolean {
        const now = wallClock();
        const mine = known.get(own);
        const short = mine !== undefined && mine.until < now + lifeMilliseconds;
        if (short) known.set(own, kept(mine, { until: untilFrom(now) }));
        for (const { writer, until } of [...known.values()]) {
            if (until <= now) known.delete(writer);
        }
        return short;
    }

    function untilFrom(now: number): number {
        return now + lifeMilliseconds + SPARE_MILLISECONDS;
    }

    function takeAll(stored: ReadonlyMap<string, Stored>): void {
        // Redis may be set back to the very version that was read before this one.
        version = null;
        for (const { trial } of stored.values()) {
            if (trial) take(trial);
        }
    }

    function take(trial: Trial): void {
        const before = known.get(trial.writer);
        if (trial.until <= wallClock() || !isLater(trial, before)) return;
        known.set(trial.writer, trial);
        if (trial.at === before?.at) return;
        const { writer, state, release, actor, reason } = trial;
        log.info(
            { writer, state, release, actor, reason },
            "What is served of a build has changed",
        );
        evict(barred);
    }

    /**
     * Redis may have been emptied, or be back with an older snapshot.
     *
     * @returns whether nothing was lost
     */
    async function restore(stored: ReadonlyMap<string, Stored>): Promise<boolean> {
        const lost = [...known.values()].filter((one) =>
            isLater(one, stored.get(one.writer)?.trial),
        );
        for (const one of lost) await store.swap(one.writer, stored.get(one.writer), one);
        return lost.length === 0;
    }

    async function order(
        wish: Wish,
        change: (before: Trial | undefined, order: Order) => Trial,
    ): Promise<Trial> {
        const { writer } = wish;
        for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
            // Who has just started, or was away, may not know yet what the others have ordered.
            const stored = new Map(await store.all());
            takeAll(stored);
            const now = wallClock();
            const after = change(known.get(writer), { ...wish, now, until: untilFrom(now) });
            await clear(stored);
            if (!(await store.swap(writer, stored.get(writer), after))) continue;
            take(after);
            return after;
        }
        throw new Error(`the record of ${writer} changes all the time`);
    }

    /** Takes out what is over. */
    async function clear(stored: Map<string, Stored>): Promise<void> {
        for (const [writer, there] of stored) {
            if (!there.trial || there.trial.until > wallClock() || known.has(writer)) continue;
            await store.swap(writer, there, undefined);
            stored.delete(writer);
        }
    }

    return {
        writer: own,
        refusal,
        barred,
        trusted: (made) => doubt(made) === undefined,
        own: () => known.get(own),
        list: () => [...known.values()].sort((a, b) => b.at - a.at),
        current,
        begin: (wish, since) => order(wish, (before, wanted) => begun(before, wanted, since)),
        promote: (wish) => order(wish, promoted),
        start,
        stop,
    };
}
