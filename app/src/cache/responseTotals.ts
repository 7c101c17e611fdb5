import type { CacheResult, CacheStatus } from "@property-search/contract";

import type { AnswerQuality, ResolvedItem } from "./item.ts";

type PerStatus = Readonly<Record<CacheStatus, number>>;

/** Totals of one answered request. */
export interface ResponseTotals {
    /** Items and tokens by source of the vector. */
    readonly items: PerStatus;
    readonly tokens: PerStatus;
    readonly missedTokens: number;
    readonly savedTokens: number;
    /** Source of the slowest item. */
    readonly slowest: CacheStatus;
    /** Items whose text was truncated. */
    readonly truncated: number;
    /** The lowest similarity and the highest bound of the semantic answers, if there are any. */
    readonly quality: AnswerQuality | undefined;
}

export const RESULT_LABELS: Readonly<Record<CacheStatus, CacheResult>> = {
    "HIT-L1": "hit_l1",
    "HIT-L2": "hit_l2",
    SEMANTIC: "semantic",
    COALESCED: "coalesced",
    STALE: "stale",
    MISS: "miss",
};

/** A coalesced item counts as saved: the leading request was billed for it. */
export function computeTotals(resolved: readonly ResolvedItem[]): ResponseTotals {
    const items = { "HIT-L1": 0, "HIT-L2": 0, SEMANTIC: 0, COALESCED: 0, STALE: 0, MISS: 0 };
    const tokens = { "HIT-L1": 0, "HIT-L2": 0, SEMANTIC: 0, COALESCED: 0, STALE: 0, MISS: 0 };
    let truncated = 0;
    for (const { embedding, status } of resolved) {
        items[status] += 1;
        if (embedding.truncated) truncated += 1;
        tokens[status] += embedding.tokens;
    }
    const { MISS, "HIT-L1": l1, "HIT-L2": l2, SEMANTIC, COALESCED, STALE } = tokens;
    return {
        items,
        tokens,
        missedTokens: MISS,
        savedTokens: l1 + l2 + SEMANTIC + COALESCED + STALE,
        slowest: slowest(items),
        truncated,
        quality: items.SEMANTIC > 0 ? worstQuality(resolved) : undefined,
    };
}

function worstQuality(resolved: readonly ResolvedItem[]): AnswerQuality {
    const all = resolved.flatMap(({ quality }) => quality ?? []);
    return {
        similarity: Math.min(...all.map(({ similarity }) => similarity)),
        errorBound: Math.max(...all.map(({ errorBound }) => errorBound)),
    };
}

/** Stale entries are served only after the upstream failed or was slow. */
function slowest(items: PerStatus): CacheStatus {
    if (items.MISS > 0) return "MISS";
    if (items.STALE > 0) return "STALE";
    if (items.COALESCED > 0) return "COALESCED";
    if (items.SEMANTIC > 0) return "SEMANTIC";
    return items["HIT-L2"] > 0 ? "HIT-L2" : "HIT-L1";
}
