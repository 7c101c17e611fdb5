import { LRUCache } from "lru-cache";

import type { UpstreamError } from "../upstream/upstream.ts";

/** Inputs that the upstream rejected permanently. Repeating them would cost a call with the same result. */
export interface NegativeCache {
    readonly get: (key: string) => UpstreamError | undefined;
    readonly set: (key: string, error: UpstreamError) => void;
}

const MAX_ENTRIES = 10_000;
/** Short, because the cause may have been an API key or a limit of the provider. */
const LIFETIME_MILLISECONDS = 60_000;

/** Local to this process: rejected inputs are rarely requested by many clients. */
export function createNegativeCache(): NegativeCache {
    const known = new LRUCache<string, UpstreamError>({
        max: MAX_ENTRIES,
        ttl: LIFETIME_MILLISECONDS,
    });
    return {
        get: (key) => known.get(key),
        set: (key, error) => void known.set(key, error),
    };
}
