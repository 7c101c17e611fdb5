import type { CacheStatus } from "@property-search/contract";

import type { Resolved } from "../cache/resolve.ts";

/** What one answered request adds up to. */
export interface Account {
    /** Items by where their vector came from. */
    readonly items: Readonly<Record<CacheStatus, number>>;
    readonly billedTokens: number;
    readonly avoidedTokens: number;
    readonly billedDollars: number;
    readonly savedDollars: number;
}

/**
 * Accounts by the flat price: a request with at least one miss is one request that reached the
 * upstream, and one without is one that would have and did not. A coalesced item was billed once, to the
 * request that led it.
 */
export function account(resolved: readonly Resolved[], costPerRequest: number): Account {
    const items = { "HIT-L1": 0, "HIT-L2": 0, COALESCED: 0, MISS: 0 };
    let billedTokens = 0;
    let avoidedTokens = 0;
    for (const { embedding, status } of resolved) {
        items[status] += 1;
        if (status === "MISS") billedTokens += embedding.tokens;
        else avoidedTokens += embedding.tokens;
    }
    const billed = items.MISS > 0;
    return {
        items,
        billedTokens,
        avoidedTokens,
        billedDollars: billed ? costPerRequest : 0,
        savedDollars: billed ? 0 : costPerRequest,
    };
}
