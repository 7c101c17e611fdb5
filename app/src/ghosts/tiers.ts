import type { LocalCache } from "../cache/tiers.ts";
import type { Ghosts } from "./ghosts.ts";

/** Follows the requests for keys of clients. */
export function withGhosts({ record }: Ghosts, cache: LocalCache): LocalCache {
    return {
        ...cache,
        recordRequest: (key) => {
            cache.recordRequest(key);
            record(key);
        },
    };
}
