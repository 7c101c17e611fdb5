import { setTimeout as wait } from "node:timers/promises";

import type { LocalCache, SharedCache } from "../cache/tiers.ts";
import type { Log } from "../log.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { HotKeyList } from "./hotKeyList.ts";

export interface WarmOptions {
    readonly local: LocalCache;
    readonly shared: SharedCache;
    readonly list: HotKeyList;
    readonly capacity: number;
    readonly log: Log;
}

/** Maximum delay of a pod's start, with or without Redis. */
const TIMEOUT_MILLISECONDS = 2_000;
const POLL_MILLISECONDS = 20;
/** Fits into one MGET within the operation timeout. */
const READ_BATCH_SIZE = 256;

/** Loads the entries of the hot keys, hottest first, until all are loaded or the time is up. */
export async function warmStart({
    local,
    shared,
    list,
    capacity,
    log,
}: WarmOptions): Promise<void> {
    if (shared.state() === "off") return;
    const begun = performance.now();
    const elapsed = (): number => performance.now() - begun;
    while (shared.state() === "down" && elapsed() < TIMEOUT_MILLISECONDS) {
        await wait(POLL_MILLISECONDS);
    }
    const keys = shared.state() === "up" ? await list.top(capacity) : [];
    const loaded: (readonly [string, Embedding])[] = [];
    for (let at = 0; at < keys.length && elapsed() < TIMEOUT_MILLISECONDS; at += READ_BATCH_SIZE) {
        loaded.push(...(await shared.read(keys.slice(at, at + READ_BATCH_SIZE), undefined)));
    }
    // Hottest first: a full cache admits no entry that nobody has requested yet.
    for (const [key, embedding] of loaded) local.set(key, embedding);
    const milliseconds = Math.round(elapsed());
    log.info({ hotKeys: keys.length, loaded: loaded.length, milliseconds }, "Warm start finished");
}
