import { createHash } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";

import type { Log } from "../log.ts";

/** The hot keys that the pods of one vector space have in common. It only saves time: never throws. */
export interface HotKeyList {
    readonly add: (counts: readonly Weighted[]) => Promise<void>;
    /** Hottest first. */
    readonly top: (limit: number) => Promise<readonly string[]>;
}

export interface Weighted {
    readonly key: string;
    readonly weight: number;
}

/** What the list needs of Redis; each fails within the operation timeout. */
export interface RankingCommands {
    /** Adds to the scores of members, then keeps the highest `keep` for so many milliseconds. */
    readonly raiseScores: (
        key: string,
        scores: readonly Weighted[],
        keep: number,
        milliseconds: number,
    ) => Promise<void>;
    /** Members with their scores, highest first. */
    readonly highest: (key: string, limit: number) => Promise<readonly Weighted[]>;
}

/** What decides the vectors: entries of two spaces never answer for each other. */
export interface VectorSpace {
    readonly provider: string;
    readonly model: string;
    readonly revision: string;
}

export const noHotKeyList: HotKeyList = {
    add: () => Promise.resolve(),
    top: () => Promise.resolve([]),
};

/** More would make a pod's start longer than it gains, and the purge of its sketch a pause. */
export const MAX_HOT_KEYS = 10_000;
const DAY_MILLISECONDS = 86_400_000;
/** What yesterday's requests count beside today's. */
const YESTERDAY = 0.5;

/**
 * One sorted set a day: increments of any number of pods add up in any order, and a day that nobody
 * asks about expires. The list belongs to the vector space and not to the colour, since both colours
 * find each other's entries: the idle one is as warm as the active one when the traffic comes.
 */
export function redisHotKeyList(
    commands: RankingCommands,
    { provider, model, revision }: VectorSpace,
    log: Log,
    now: () => number = Date.now,
): HotKeyList {
    const space = createHash("sha256")
        .update(JSON.stringify([provider, model, revision]))
        .digest("base64url")
        .slice(0, 16);
    const keyOfDay = (daysAgo: number): string =>
        `${CACHE_KEY_PREFIX}hot:${space}:${Math.floor(now() / DAY_MILLISECONDS) - daysAgo}`;

    return {
        add: async (counts) => {
            try {
                await commands.raiseScores(keyOfDay(0), counts, MAX_HOT_KEYS, 2 * DAY_MILLISECONDS);
            } catch (error) {
                log.debug({ error: String(error) }, "Hot keys were not saved");
            }
        },
        top: async (limit) => {
            try {
                const [today, yesterday] = await Promise.all([
                    commands.highest(keyOfDay(0), limit),
                    commands.highest(keyOfDay(1), limit),
                ]);
                const weights = new Map(today.map(({ key, weight }) => [key, weight]));
                for (const { key, weight } of yesterday) {
                    weights.set(key, (weights.get(key) ?? 0) + YESTERDAY * weight);
                }
                return Array.from(weights)
                    .sort(([, a], [, b]) => b - a)
                    .slice(0, limit)
                    .map(([key]) => key);
            } catch (error) {
                log.debug({ error: String(error) }, "Hot keys could not be read");
                return [];
            }
        },
    };
}
