import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { polled } from "../redis/polledRecords.ts";
import type { Log } from "../log.ts";

/** Numbers that are part of every key. Incrementing one invalidates all older entries at once. */
export interface Epochs {
    /** Epoch of a tenant, combined with the global one. */
    readonly of: (tenant: string) => string;
    /**
     * Increments the epoch of a tenant, or the global one; other pods follow within a second.
     *
     * @throws Error while Redis is unavailable, because other pods would keep the old epoch
     */
    readonly raise: (tenant: string | undefined) => Promise<number>;
    /** Until the first read, a key may belong to an outdated epoch. */
    readonly isKnown: () => boolean;
    readonly start: () => Promise<void>;
    readonly stop: () => void;
}

/** Redis commands of the epochs. */
export interface EpochStore {
    readonly hash: (key: string) => Promise<Readonly<Record<string, string>>>;
    readonly put: (key: string, field: string, value: string) => Promise<unknown>;
    readonly increment: (key: string, field: string) => Promise<number>;
    readonly onReachable: (callback: () => void) => void;
}

const KEY = `${CACHE_KEY_PREFIX}epochs`;
const EVERYBODY = "*";
/** One poll interval plus the timeout of a read. */
export const EPOCHS_FOLLOW_MILLISECONDS = 1_200;
const FIRST = "0";

/** While Redis is unavailable, the last known epochs stay in force. */
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

    /** Epochs only grow, so outdated responses have no effect. */
    function take(read: Readonly<Record<string, string>>): void {
        const grown = Object.entries(read).filter(
            ([field, value]) => Number(value) > Number(known[field] ?? FIRST),
        );
        if (grown.length === 0) return;
        known = { ...known, ...Object.fromEntries(grown) };
        joined = new Map();
    }

    /** Redis may have been emptied or have evicted the epochs; old entries would become valid again. */
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

/** Epochs of a pod without Redis, for its local cache only. */
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
