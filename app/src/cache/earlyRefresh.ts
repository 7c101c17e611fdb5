import { wallClock } from "../clock.ts";
import type { LookupContext, RequestContext } from "../requestContext.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { Item } from "./item.ts";

export interface Refresher {
    /** Refreshes an entry in the background if it is about to expire. Never waits and never throws. */
    readonly onHit: (item: Item, embedding: Embedding, context: LookupContext) => void;
}

/** Concurrent refreshes; client requests have priority. */
const MAX_CONCURRENT = 16;
const TIMEOUT_MILLISECONDS = 25_000;
/** Beyond this many compute times before expiry, an entry is never due (e⁻²⁰ of all draws). */
const MAX_DRAW = 20;

/**
 * Early refresh by the optimal probabilistic rule (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic
 * Cache Stampede Prevention", VLDB 2015, β = 1). Each hit may start a refresh; the probability increases
 * towards expiry and with the cost, so hot entries never expire under load.
 *
 * @param refresh fetches an entry and stores it
 */
export function createRefresher(
    refresh: (item: Item, context: RequestContext, embedding: Embedding) => Promise<void>,
    random = Math.random,
): Refresher {
    const inProgress = new Set<string>();
    return {
        onHit: (item, embedding, { pool, tenant, dimensions }) => {
            const { freshUntil, computeMilliseconds } = embedding;
            const remaining = freshUntil - wallClock();
            if (
                remaining > computeMilliseconds * MAX_DRAW ||
                remaining > -computeMilliseconds * Math.log(1 - random())
            )
                return;
            const { key } = item;
            if (inProgress.has(key) || inProgress.size >= MAX_CONCURRENT) return;
            inProgress.add(key);
            const deadline = performance.now() + TIMEOUT_MILLISECONDS;
            refresh(item, { pool, tenant, dimensions, purpose: "refresh", deadline }, embedding)
                .catch(() => undefined)
                .finally(() => inProgress.delete(key));
        },
    };
}
