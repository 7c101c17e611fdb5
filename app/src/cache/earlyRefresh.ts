import { wallClock } from "../clock.ts";
import type { LookupScope, Scope } from "../requestContext.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { Item } from "./item.ts";

export interface Refresher {
    /** Refreshes an entry in the background if it is about to expire. Never waits and never throws. */
    readonly hit: (item: Item, embedding: Embedding, scope: LookupScope) => void;
}

/** Concurrent refreshes; client requests have priority. */
const MOST_AT_ONCE = 16;
const TIMEOUT_MILLISECONDS = 25_000;
/** Beyond this many compute times before expiry, an entry is never due (e⁻²⁰ of all draws). */
const LONGEST_DRAW = 20;

/**
 * Early refresh by the optimal probabilistic rule (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic
 * Cache Stampede Prevention", VLDB 2015, β = 1). Each hit may start a refresh; the probability increases
 * towards expiry and with the cost, so hot entries never expire under load.
 *
 * @param refresh fetches an entry and stores it
 */
export function refresher(
    renew: (item: Item, scope: Scope, embedding: Embedding) => Promise<void>,
    random = Math.random,
): Refresher {
    const under = new Set<string>();
    return {
        hit: (item, embedding, { pool, tenant, dimensions }) => {
            const { freshUntil, computeMilliseconds } = embedding;
            const left = freshUntil - wallClock();
            if (
                left > computeMilliseconds * LONGEST_DRAW ||
                left > -computeMilliseconds * Math.log(1 - random())
            )
                return;
            const { key } = item;
            if (under.has(key) || under.size >= MOST_AT_ONCE) return;
            under.add(key);
            const deadline = performance.now() + TIMEOUT_MILLISECONDS;
            renew(item, { pool, tenant, dimensions, purpose: "refresh", deadline }, embedding)
                .catch(() => undefined)
                .finally(() => under.delete(key));
        },
    };
}
