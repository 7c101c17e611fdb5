import type { Cluster, Redis } from "ioredis";

import type { RankingCommands, WeightedKey } from "./hotKeyList.ts";

/** Rankings as Redis sorted sets. */
export function createRankingCommands(client: Redis | Cluster): RankingCommands {
    return {
        incrementScores: async (key, scores, keep, milliseconds) => {
            // Commands issued in one turn share a packet.
            await Promise.all([
                ...scores.map(({ key: member, weight }) => client.zincrby(key, weight, member)),
                client.zremrangebyrank(key, 0, -keep - 1),
                client.pexpire(key, milliseconds),
            ]);
        },
        top: async (key, limit) =>
            parsePairs(await client.zrevrange(key, 0, limit - 1, "WITHSCORES")),
    };
}

function parsePairs(flat: readonly string[]): readonly WeightedKey[] {
    const found: WeightedKey[] = [];
    for (let at = 0; at + 1 < flat.length; at += 2) {
        found.push({ key: flat[at] ?? "", weight: Number(flat[at + 1]) });
    }
    return found;
}
