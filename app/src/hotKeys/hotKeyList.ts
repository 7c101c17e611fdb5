import { createHash } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";

/** Hot keys shared by the pods of one vector space. An optimisation only: never throws. */
export interface HotKeyList {
    readonly add: (counts: readonly WeightedKey[]) => Promise<void>;
    /** Hottest first. */
    readonly top: (limit: number) => Promise<readonly string[]>;
}

export interface WeightedKey {
    readonly key: string;
    readonly weight: number;
}

/** Redis commands of the list. Each fails after the operation timeout. */
export interface RankingCommands {
    /** Increments the scores of members, keeps the highest `keep` members, and sets the expiry. */
    readonly incrementScores: (
        key: string,
        scores: readonly WeightedKey[],
        keep: number,
        milliseconds: number,
    ) => Promise<void>;
    /** Members with their scores, highest first. */
    readonly top: (key: string, limit: number) => Promise<readonly WeightedKey[]>;
}

/** Identifies a vector space. Vectors of two spaces are never interchangeable. */
export interface VectorSpace {
    readonly provider: string;
    readonly model: string;
    readonly revision: string;
}

export const noHotKeyList: HotKeyList = {
    add: () => Promise.resolve(),
    top: () => Promise.resolve([]),
};

/** More keys would extend a pod's start beyond their benefit, and make a purge of the sketch a pause. */
export const MAX_HOT_KEYS = 10_000;
const DAY_MILLISECONDS = 86_400_000;
/** Weight of yesterday's requests relative to today's. */
const YESTERDAY = 0.5;

/**
 * One sorted set per day. Increments of any number of pods commute, and unused days expire. The list belongs
 * to the vector space instead of the colour, because both colours share entries: the idle colour is as warm
 * as the active one.
 */
export function createRedisHotKeyList(
    commands: RankingCommands,
    { provider, model, revision }: VectorSpace,
    log: Log,
    now = wallClock,
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
                await commands.incrementScores(
                    keyOfDay(0),
                    counts,
                    MAX_HOT_KEYS,
                    2 * DAY_MILLISECONDS,
                );
            } catch (error) {
                log.debug({ error: String(error) }, "Hot keys could not be saved");
            }
        },
        top: async (limit) => {
            try {
                const [today, yesterday] = await Promise.all([
                    commands.top(keyOfDay(0), limit),
                    commands.top(keyOfDay(1), limit),
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
