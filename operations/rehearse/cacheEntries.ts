import { otherColour, type Colour } from "@property-search/contract";
import { readBackup } from "../backup/file.ts";
import type { Cluster } from "../cluster/connect.ts";
import { embed } from "../gateway/client.ts";
import { readLiveWeights } from "../gateway/endpoint.ts";
import { openClient } from "./client.ts";

/** Number of texts that only one rehearsal requests. */
export const SEEDS = 200;
/** Entries that expire sooner, such as leases, need not exist after the fault. */
const SHORT_LIVED_MILLISECONDS = 300_000;

/** Texts that only this run requests. Both functions return the ratio (0–1) of hits. */
export interface Seeds {
    /** Requests the texts at the colour with the most traffic, which caches them. */
    readonly cache: () => Promise<number>;
    /** Requests the texts at the other colour, which has never had them in its memory: hits are from Redis. */
    readonly readFromRedis: () => Promise<number>;
}

export async function openSeeds(cluster: Cluster, stack: string): Promise<Seeds> {
    const client = await openClient(cluster, stack);
    const weights = await readLiveWeights(cluster);
    const active = weights.green > weights.blue ? "green" : "blue";
    const run = Date.now();
    const request = async (colour: Colour) => {
        let hits = 0;
        for (let index = 0; index < SEEDS; index += 1) {
            const { cache } = await embed(client, [`Seed ${index} of ${run}`], colour);
            if (cache.every((status) => status.startsWith("HIT"))) hits += 1;
        }
        return hits / SEEDS;
    };
    return {
        cache: () => request(active),
        readFromRedis: () => request(otherColour(active)),
    };
}

export interface CacheEntry {
    /** Output of DUMP, in base64. */
    readonly value: string;
    /** Unix time in milliseconds; undefined: never. */
    readonly expiresAt: number | undefined;
}

/** Entries of a backup file, by key. */
export async function readEntries(file: string): Promise<Map<string, CacheEntry>> {
    const entries = new Map<string, CacheEntry>();
    for await (const { key, value, expiresAt } of readBackup(file)) {
        entries.set(key.toString("base64"), { value: value.toString("base64"), expiresAt });
    }
    return entries;
}

/**
 * Counts the entries of a backup that are in a later one, unchanged or not.
 *
 * @param fault time of the fault, in milliseconds since the epoch
 */
export function compareEntries(
    before: ReadonlyMap<string, CacheEntry>,
    after: ReadonlyMap<string, CacheEntry>,
    fault: number,
): { readonly equal: number; readonly changed: number; readonly missing: number } {
    const counts = { equal: 0, changed: 0, missing: 0 };
    for (const [key, { value, expiresAt }] of before) {
        const found = after.get(key);
        if (found === undefined) {
            if ((expiresAt ?? Infinity) > fault + SHORT_LIVED_MILLISECONDS) counts.missing += 1;
        } else if (found.value === value && found.expiresAt === expiresAt) counts.equal += 1;
        else counts.changed += 1;
    }
    return counts;
}
