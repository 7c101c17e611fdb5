import { wallClock } from "../clock.ts";
import type { LookupScope, Scope } from "../scope.ts";
import type { Embedding } from "../vector/embedding.ts";
import type { Item } from "./item.ts";

export interface Refresher {
    /** Renews an entry in the background if its end is near. Never waits and never throws. */
    readonly hit: (item: Item, embedding: Embedding, scope: LookupScope) => void;
}

/** How many entries are renewed at once: requests that wait come first. */
const MOST_AT_ONCE = 16;
const TIMEOUT_MILLISECONDS = 25_000;
/** Further from its end than so many efforts, an entry is never due: e⁻²⁰ of all draws. */
const LONGEST_DRAW = 20;

/**
 * Early refresh by the optimal probabilistic rule (Vattani, Chierichetti, Lowenstein, "Optimal
 * Probabilistic Cache Stampede Prevention", VLDB 2015, β = 1): each hit may begin it, the more likely
 * the nearer the end and the more it costs, so that hot entries never expire under load.
 *
 * @param renew fetches an entry and stores it
 */
export function refresher(
    renew: (item: Item, scope: Scope, embedding: Embedding) => Promise<void>,
    random = Math.random,
): Refresher {
    const under = new Set<string>();
    return {
        hit: (item, embedding, { pool, tenant, dimensions }) => {
            const { freshUntil, effort } = embedding;
            const left = freshUntil - wallClock();
            if (left > effort * LONGEST_DRAW || left > -effort * Math.log(1 - random())) return;
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
