import { detach } from "../detach.ts";
import type { LocalCache, SharedCache } from "../cache/tiers.ts";
import type { Log } from "../log.ts";
import { MAX_HOT_KEYS, type HotKeyList } from "./hotKeyList.ts";
import { sketch, type Counted, type Sketch } from "./sketch.ts";
import { warm } from "./warmStart.ts";

/** The most requested keys of this pod, for operators and for the warm start of new pods. */
export interface HotKeys {
    /** On the request path: samples one in SAMPLING_INTERVAL items. */
    readonly seen: (items: readonly { readonly key: string }[], tenant: string) => void;
    /** Most requested first, estimated over the last two to four minutes. */
    readonly top: (limit: number) => readonly HotKey[];
    /** Loads the previously hot entries from Redis into the local cache. Bounded; never throws. */
    readonly warm: () => Promise<void>;
    /** Adds the counts since the last save to the list in Redis. Never throws. */
    readonly save: () => Promise<void>;
    readonly close: () => Promise<void>;
}

export interface HotKey {
    readonly key: string;
    readonly tenant: string;
    /** Number of requests, estimated from a sample. */
    readonly requests: number;
}

export interface HotKeysOptions {
    readonly local: LocalCache;
    readonly shared: SharedCache;
    readonly list: HotKeyList;
    /** Capacity of the local cache. */
    readonly maxLocalEntries: number;
    readonly log: Log;
    readonly random?: () => number;
}

/** Counting takes about a microsecond per item; sampled, below 50 ns on average. */
const SAMPLED_OF = 32;
/** Save interval of the list; a killed pod loses at most one interval. */
const PERIOD_MILLISECONDS = 120_000;

export function hotKeys(options: HotKeysOptions): HotKeys {
    const { list, random = Math.random } = options;
    const capacity = Math.min(options.maxLocalEntries, MAX_HOT_KEYS);
    let counting = sketch(capacity);
    let before: Sketch = sketch(capacity);
    let skip = 0;
    const saving = setInterval(() => detach(save()), PERIOD_MILLISECONDS).unref();

    async function save(): Promise<void> {
        before = counting;
        counting = sketch(capacity);
        const hot = before.top(capacity);
        if (hot.length > 0) await list.add(hot);
    }

    return {
        seen: (items, tenant) => {
            skip -= items.length;
            while (skip < 0) {
                const item = items[items.length + skip];
                if (item !== undefined) counting.add(item.key, tenant);
                // A fixed step would always sample the same item of a repeated batch.
                skip += 1 + Math.floor(random() * (2 * SAMPLED_OF - 1));
            }
        },
        top: (limit) => merged([before.top(capacity), counting.top(capacity)]).slice(0, limit),
        warm: () => warm({ ...options, capacity }),
        save,
        close: async () => {
            clearInterval(saving);
            await save();
        },
    };
}

function merged(counts: readonly (readonly Counted[])[]): readonly HotKey[] {
    const sums = new Map<string, HotKey>();
    for (const { key, tenant, weight } of counts.flat()) {
        const requests = (sums.get(key)?.requests ?? 0) + weight * SAMPLED_OF;
        sums.set(key, { key, tenant, requests });
    }
    return [...sums.values()].sort((a, b) => b.requests - a.requests);
}
