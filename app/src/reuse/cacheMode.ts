import { CACHE_MODES, HEADERS, type CacheMode, type Tenant } from "@property-search/contract";

import { getSingleHeader } from "../http/headers.ts";
import { HttpError } from "../http/protocol/error.ts";
import type { RequestCacheMode } from "../requestContext.ts";

/** @throws HttpError 400 if the header has another value than CACHE_MODES, or several */
export type ChooseCacheMode = (
    rawHeaders: readonly string[],
    tenant: Pick<Tenant, "cacheMode">,
) => RequestCacheMode;

const MAX_SHOWN = 64;

/** The header decides, then the tenant, then an experiment or the service's setting. Exact hits pay for this, too. */
export function createChooseCacheMode(defaultMode: RequestCacheMode): ChooseCacheMode {
    return (rawHeaders, { cacheMode: own }) => {
        const header = getSingleHeader(rawHeaders, HEADERS.cacheMode);
        if (header === undefined) return own ?? defaultMode;
        const mode = parseMode(header);
        if (mode) return mode;
        const shown = JSON.stringify(header.slice(0, MAX_SHOWN));
        const message = `${HEADERS.cacheMode} is ${shown}; allowed: ${CACHE_MODES.join(", ")}`;
        throw new HttpError(400, message, { param: HEADERS.cacheMode });
    };
}

function parseMode(header: string): CacheMode | undefined {
    for (const mode of CACHE_MODES)
        if (header === mode || header.toLowerCase() === mode) return mode;
    return undefined;
}
