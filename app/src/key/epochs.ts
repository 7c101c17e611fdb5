import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { polled } from "../cache/polled.ts";
import type { Log } from "../log.ts";

/** Numbers that are part of every key: raising one leaves all older entries behind, in no time. */
export interface Epochs {
    /** Of a tenant, together with everybody's. */
    readonly of: (tenant: string) => string;
    /**
     * Raises the epoch of a tenant, or everybody's: here at once, in other pods within a second.
     *
     * @throws Error while Redis is away: the other pods would go on with the old one
     */
    readonly raise: (tenant: string | undefined) => Promise<number>;
    /** Until they were read once, a key may lie in an epoch that was left behind. */
    readonly isKnown: () => boolean;
    readonly start: () => Promise<void>;
    readonly stop: () => void;
}

/** What it takes from Redis. */
export interface EpochStore {
    readonly hash: (key: string) => Promise<Readonly<Record<string, string>>>;
    readonly put: (key: string, field: string, value: string) => Promise<unknown>;
    readonly increment: (key: string, field: string) => Promise<number>;
    readonly onReachable: (callback: () => void) => void;
}

const KEY = `${CACHE_KEY_PREFIX}epochs`;
const EVERYBODY = "*";
/** One poll, and a read from Redis that takes as long as it may. */
export const EPOCHS_FOLLOW_MILLISECONDS = 1_200;
const FIRST = "0";

/** While Redis is away, what was known last holds. */
export function sharedEpochs(store: EpochStore, log: Log): Epochs {
    let known: Readonly<Record<string, string>> = {};
    let joined = new Map<string, string>();
    const { isKnown, start, stop } = polled({
        name: "Epochs",
        read: async () => {
            const read = await store.hash(KEY);
            take(read);
            await restore(read);
        },
        onReachable: store.onReachable,
        log,
    });

    /** Epochs only grow, so that an answer which was overtaken changes nothing. */
    function take(read: Readonly<Record<string, string>>): void {
        const grown = Object.entries(read).filter(
            ([field, value]) => Number(value) > Number(known[field] ?? FIRST),
        );
        if (grown.length === 0) return;
        known = { ...known, ...Object.fromEntries(grown) };
        joined = new Map();
    }

    /** Redis may have been emptied, or have evicted them: old entries would be found again. */
    async function restore(read: Readonly<Record<string, string>>): Promise<void> {
        for (const [field, value] of Object.entries(known)) {
            if (Number(value) > Number(read[field] ?? FIRST)) await store.put(KEY, field, value);
        }
    }

    return {
        of: (tenant) => {
            let epoch = joined.get(tenant);
            if (epoch === undefined) {
                epoch = `${known[EVERYBODY] ?? FIRST}.${known[tenant] ?? FIRST}`;
                joined.set(tenant, epoch);
            }
            return epoch;
        },
        raise: async (tenant = EVERYBODY) => {
            const epoch = await store.increment(KEY, tenant);
            take({ [tenant]: String(epoch) });
            return epoch;
        },
        isKnown,
        start,
        stop,
    };
}

/** Epochs of a pod without Redis: its own memory is all there is to leave behind. */
export function ownEpochs(): Epochs {
    let everybody = 0;
    const tenants = new Map<string, number>();
    return {
        of: (tenant) => `${everybody}.${tenants.get(tenant) ?? 0}`,
        raise: (tenant) => {
            if (tenant === undefined) return Promise.resolve((everybody += 1));
            const epoch = (tenants.get(tenant) ?? 0) + 1;
            tenants.set(tenant, epoch);
            return Promise.resolve(epoch);
        },
        isKnown: () => true,
        start: () => Promise.resolve(),
        stop: () => undefined,
    };
}
