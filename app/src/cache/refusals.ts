import { LRUCache } from "lru-cache";

import type { UpstreamError } from "../upstream/upstream.ts";

/** Inputs that the upstream refused for good: asking again costs a call and changes nothing. */
export interface Refusals {
    readonly of: (key: string) => UpstreamError | undefined;
    readonly remember: (key: string, error: UpstreamError) => void;
}

const MOST = 10_000;
/** Short: a key or a limit at the provider may be what was wrong. */
const LIFETIME_MILLISECONDS = 60_000;

/** In this process only: what is refused is seldom asked for by many. */
export function refusals(): Refusals {
    const known = new LRUCache<string, UpstreamError>({ max: MOST, ttl: LIFETIME_MILLISECONDS });
    return {
        of: (key) => known.get(key),
        remember: (key, error) => void known.set(key, error),
    };
}
