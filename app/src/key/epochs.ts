import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { createPolledRecords } from "../redis/polledRecords.ts";
import type { Log } from "../log.ts";

/** Numbers that are part of every key. Incrementing one invalidates all older entries at once. */
export interface Epochs {
    /** Epoch of a tenant, combined with the global one. */
    readonly get: (tenant: string) => string;
    /** Epochs of a tenant from which the current one may have been reached by an increment. */
    readonly earlier: (tenant: string) => readonly string[];
    /**
     * Increments the epoch of a tenant, or the global one; other pods follow within a second.
     *
     * @throws Error while Redis is unavailable, because other pods would keep the old epoch
     */
    readonly increment: (tenant: string | undefined) => Promise<number>;
    /** Until the first read, a key may belong to an outdated epoch. */
    readonly isKnown: () => boolean;
    readonly start: () => Promise<void>;
    readonly stop: () => void;
}

/** Redis commands of the epochs. */
export interface EpochStore {
    readonly readHash: (key: string) => Promise<Readonly<Record<string, string>>>;
    readonly setField: (key: string, field: string, value: string) => Promise<unknown>;
    readonly incrementField: (key: string, field: string) => Promise<number>;
    readonly onReachable: (callback: () => void) => void;
}

const KEY = `${CACHE_KEY_PREFIX}epochs`;
const ALL_TENANTS = "*";
/** One poll interval plus the timeout of a read. */
export const EPOCH_PROPAGATION_MILLISECONDS = 1_200;
const INITIAL_EPOCH = "0";

/** While Redis is unavailable, the last known epochs stay in force. */
export function createSharedEpochs(store: EpochStore, log: Log): Epochs {
    let known: Readonly<Record<string, string>> = {};
    let combined = new Map<string, string>();
    const { isKnown, start, stop } = createPolledRecords({
        name: "Epochs",
        read: async () => {
            const read = await store.readHash(KEY);
            merge(read);
            await restore(read);
        },
        onReachable: store.onReachable,
        log,
    });

    /** Epochs only grow, so outdated responses have no effect. */
    function merge(read: Readonly<Record<string, string>>): void {
        const grown = Object.entries(read).filter(
            ([field, value]) => Number(value) > Number(known[field] ?? INITIAL_EPOCH),
        );
        if (grown.length === 0) return;
        known = { ...known, ...Object.fromEntries(grown) };
        combined = new Map();
    }

    /** Redis may have been emptied or have evicted the epochs; old entries would become valid again. */
    async function restore(read: Readonly<Record<string, string>>): Promise<void> {
        for (const [field, value] of Object.entries(known)) {
            if (Number(value) > Number(read[field] ?? INITIAL_EPOCH))
                await store.setField(KEY, field, value);
        }
    }

    return {
        get: (tenant) => {
            let epoch = combined.get(tenant);
            if (epoch === undefined) {
                epoch = `${known[ALL_TENANTS] ?? INITIAL_EPOCH}.${known[tenant] ?? INITIAL_EPOCH}`;
                combined.set(tenant, epoch);
            }
            return epoch;
        },
        earlier: (tenant) =>
            earlierEpochs(
                Number(known[ALL_TENANTS] ?? INITIAL_EPOCH),
                Number(known[tenant] ?? INITIAL_EPOCH),
            ),
        increment: async (tenant = ALL_TENANTS) => {
            const epoch = await store.incrementField(KEY, tenant);
            merge({ [tenant]: String(epoch) });
            return epoch;
        },
        isKnown,
        start,
        stop,
    };
}

function earlierEpochs(global: number, own: number): readonly string[] {
    return [
        ...(global > 0 ? [`${global - 1}.${own}`] : []),
        ...(own > 0 ? [`${global}.${own - 1}`] : []),
    ];
}

/** Epochs of a pod without Redis, for its local cache only. */
export function createInMemoryEpochs(): Epochs {
    let global = 0;
    const tenants = new Map<string, number>();
    return {
        get: (tenant) => `${global}.${tenants.get(tenant) ?? 0}`,
        earlier: (tenant) => earlierEpochs(global, tenants.get(tenant) ?? 0),
        increment: (tenant) => {
            if (tenant === undefined) return Promise.resolve((global += 1));
            const epoch = (tenants.get(tenant) ?? 0) + 1;
            tenants.set(tenant, epoch);
            return Promise.resolve(epoch);
        },
        isKnown: () => true,
        start: () => Promise.resolve(),
        stop: () => undefined,
    };
}
