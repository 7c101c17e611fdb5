import { polled } from "../cache/polled.ts";
import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { WithdrawalStore } from "./store.ts";
import type { Withdrawal } from "./withdrawal.ts";

/**
 * Withdrawals are kept in Redis and polled by every pod, as epochs are. They only grow and end by
 * themselves, so that the union of what a pod and Redis know is right, whoever forgot something.
 */
export interface Withdrawals {
    readonly covers: (key: string, createdAt: number) => boolean;
    readonly of: (key: string) => Withdrawal | undefined;
    /** The newest first. */
    readonly list: () => readonly Withdrawal[];
    /**
     * Here at once; in other pods within FOLLOW_MILLISECONDS, or when they reach Redis again.
     *
     * @throws Error while Redis is away, TooManyWithdrawals
     */
    readonly add: (withdrawal: Withdrawal) => Promise<void>;
    /** Until they were read once, any copy in Redis may be a withdrawn one. */
    readonly isKnown: () => boolean;
    readonly start: () => Promise<void>;
    readonly stop: () => void;
}

/** Each is read by every pod. Who has more to withdraw raises the tenant's epoch. */
export const MOST_WITHDRAWALS = 2_000;

export class TooManyWithdrawals extends Error {
    constructor() {
        super(`${MOST_WITHDRAWALS} entries are flagged or were just deleted`);
        this.name = "TooManyWithdrawals";
    }
}

/** One poll, and a read from Redis that takes as long as it may. */
export const FOLLOW_MILLISECONDS = 1_200;

/** @param evict takes an entry out of this process's cache if its copy was made until then */
export function withdrawals(
    store: WithdrawalStore,
    evict: (key: string, upTo: number) => void,
    log: Log,
): Withdrawals {
    const known = new Map<string, Withdrawal>();
    let version: string | null = null;
    const { isKnown, start, stop } = polled({
        name: "Withdrawals",
        read,
        onReachable: store.onReachable,
        log,
    });

    async function read(): Promise<void> {
        const current = await store.version();
        forget();
        // An emptied Redis has no version, and gets back what this pod knows.
        if (current === version && (current !== null || known.size === 0)) return;
        const stored = await store.all();
        for (const one of stored) take(one);
        const lost = lostBy(stored);
        if (lost.length > 0) await store.put(lost, []);
        else version = current;
    }

    function take(withdrawal: Withdrawal): void {
        const { key, upTo, until } = withdrawal;
        if (until <= wallClock() || upTo <= (known.get(key)?.upTo ?? 0)) return;
        known.set(key, withdrawal);
        evict(key, upTo);
    }

    /** Redis may have been emptied, or be back with an older snapshot. */
    function lostBy(stored: readonly Withdrawal[]): readonly Withdrawal[] {
        const upTo = new Map(stored.map((one) => [one.key, one.upTo]));
        return [...known.values()].filter((one) => one.upTo > (upTo.get(one.key) ?? 0));
    }

    /** @returns keys of those that have ended */
    function forget(): readonly string[] {
        const now = wallClock();
        const ended = [...known.values()].filter(({ until }) => until <= now);
        for (const { key } of ended) known.delete(key);
        return ended.map(({ key }) => key);
    }

    return {
        covers: (key, createdAt) => known.size > 0 && createdAt <= (known.get(key)?.upTo ?? 0),
        of: (key) => known.get(key),
        list: () => [...known.values()].sort((a, b) => b.at - a.at),
        add: async (withdrawal) => {
            // Who has just started, or was away, may not know yet what the others have withdrawn.
            const stored = await store.all();
            for (const one of stored) take(one);
            const ended = [...forget(), ...endedIn(stored)];
            const { key } = withdrawal;
            if (known.size >= MOST_WITHDRAWALS && !known.has(key)) throw new TooManyWithdrawals();
            await store.put([withdrawal], ended);
            take(withdrawal);
        },
        isKnown,
        start,
        stop,
    };
}

function endedIn(stored: readonly Withdrawal[]): readonly string[] {
    const now = wallClock();
    return stored.filter(({ until }) => until <= now).map(({ key }) => key);
}
