import type { CacheStatus } from "@property-search/contract";

import type { Resolved } from "../cache/item.ts";

/** What one answered request adds up to. */
export interface Account {
    /** Items by where their vector came from. */
    readonly items: Readonly<Record<CacheStatus, number>>;
    readonly missedTokens: number;
    readonly avoidedTokens: number;
    /** The request reached no upstream. */
    readonly avoidedRequest: boolean;
}

/** A coalesced item is avoided: it was billed once, to the request that led it. */
export function account(resolved: readonly Resolved[]): Account {
    const items = { "HIT-L1": 0, "HIT-L2": 0, COALESCED: 0, STALE: 0, MISS: 0 };
    let missedTokens = 0;
    let avoidedTokens = 0;
    for (const { embedding, status } of resolved) {
        items[status] += 1;
        if (status === "MISS") missedTokens += embedding.tokens;
        else avoidedTokens += embedding.tokens;
    }
    return { items, missedTokens, avoidedTokens, avoidedRequest: items.MISS === 0 };
}
