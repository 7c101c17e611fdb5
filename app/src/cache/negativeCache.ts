import { LRUCache } from "lru-cache";

import type { UpstreamError } from "../upstream/upstream.ts";

/** Inputs that the upstream rejected permanently. Repeating them would cost a call with the same result. */
export interface Refusals {
    readonly of: (key: string) => UpstreamError | undefined;
    readonly remember: (key: string, error: UpstreamError) => void;
}

const MOST = 10_000;
/** Short, because the cause may have been an API key or a limit of the provider. */
const LIFETIME_MILLISECONDS = 60_000;

/** Local to this process: rejected inputs are rarely requested by many clients. */
export function refusals(): Refusals {
    const known = new LRUCache<string, UpstreamError>({ max: MOST, ttl: LIFETIME_MILLISECONDS });
    return {
        of: (key) => known.get(key),
        remember: (key, error) => void known.set(key, error),
    };
}
