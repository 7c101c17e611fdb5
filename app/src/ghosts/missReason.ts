import type { MissReason } from "@property-search/contract";

import type { KeyHistory, RegistryState } from "./registry.ts";

/**
 * What Redis has of a key at the time of the miss: no entry; one that was written since, which shows nothing of the one
 * before; one whose lifetime has ended; one that must not be served; or one that could have been served, so that reading it failed.
 */
export type StoredEntry = "absent" | "replaced" | "ended" | "hidden" | "servable";

/** What a miss is explained by. Times are seconds since the Unix epoch. */
export interface MissFacts {
    /** Not rounded. */
    readonly missedAt: number;
    readonly state: RegistryState;
    /** Before the request that missed: its first request is 0 if there is no earlier one. */
    readonly history: KeyHistory;
    /** Longest time for which an entry may be in Redis. */
    readonly entryLifetimeSeconds: number;
    readonly isInvalidated: (createdAt: number) => boolean;
    /** The entry of this key. */
    readonly findEntry: () => Promise<StoredEntry>;
    /** Whether the entry of an earlier epoch is in Redis. */
    readonly hasEarlierEpoch: () => Promise<boolean>;
}

/** Longest request: until then, an earlier one may still store its entry. */
export const REQUEST_SECONDS = 30;

const REASON_BY_ENTRY: Readonly<Record<StoredEntry, MissReason>> = {
    absent: "evicted",
    replaced: "unknown",
    ended: "expired",
    hidden: "invalidated",
    servable: "unknown",
};

/**
 * @returns `unknown` unless another reason is certain
 * @throws Error while Redis is unavailable
 */
export async function explainMiss(facts: MissFacts): Promise<MissReason> {
    const { missedAt, state, history, entryLifetimeSeconds } = facts;
    const { firstRequestAt, storedAt, freshUntil } = history;
    const isWithinLifetime = (at: number): boolean => missedAt - at < entryLifetimeSeconds;
    if (storedAt > 0) {
        // The last entry may be another one, of which is not recorded in Redis.
        const isLast = state.lostAt <= storedAt || !isWithinLifetime(state.lostAt);
        if (freshUntil <= missedAt) return isLast ? "expired" : "unknown";
        if (facts.isInvalidated(storedAt + 1)) return isLast ? "invalidated" : "unknown";
        // Stored in the second of the flag, before or after it.
        if (facts.isInvalidated(storedAt)) return "unknown";
        const entry = await facts.findEntry();
        return REASON_BY_ENTRY[entry];
    }
    // An entry from before the registry may have expired, or have been evicted.
    const knowsAll =
        (state.isComplete || !isWithinLifetime(state.since)) && !isWithinLifetime(state.lostAt);
    if (firstRequestAt > 0) {
        const isEnded = missedAt - firstRequestAt > REQUEST_SECONDS;
        return isEnded && knowsAll ? "not_stored" : "unknown";
    }
    if (await facts.hasEarlierEpoch()) return "invalidated";
    return knowsAll ? "cold" : "unknown";
}
