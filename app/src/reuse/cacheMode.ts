import { CACHE_MODES, HEADERS, type CacheMode, type Tenant } from "@property-search/contract";

import { getSingleHeader } from "../http/headers.ts";
import { HttpError } from "../http/protocol/error.ts";
import type { RequestCacheMode } from "../requestContext.ts";

/** The cache mode of a request, and how it was chosen. */
export interface ChosenCacheMode {
    readonly mode: RequestCacheMode;
    /** The header or the tenant names it, so that an experiment does not decide. */
    readonly isNamed: boolean;
}

/** @throws HttpError 400 if the header has another value than CACHE_MODES, or several */
export type ChooseCacheMode = (
    rawHeaders: readonly string[],
    tenant: Pick<Tenant, "id" | "cacheMode">,
    user: string | undefined,
) => ChosenCacheMode;

const MAX_SHOWN = 64;
/** Exact hits choose a mode, too, and must not allocate for it. */
const NAMED = withEachMode(true);
const NOT_NAMED = withEachMode(false);

/**
 * The header decides, then the tenant, then an experiment or the service's setting.
 *
 * @param cacheModeOfUser undefined: no experiment varies the mode of users
 */
export function createChooseCacheMode(
    defaultMode: RequestCacheMode,
    cacheModeOfUser?: (tenant: string, user: string) => CacheMode,
): ChooseCacheMode {
    return (rawHeaders, { id, cacheMode: own }, user) => {
        const header = getSingleHeader(rawHeaders, HEADERS.cacheMode);
        if (header === undefined) {
            if (own) return NAMED[own];
            const isAssigned = cacheModeOfUser !== undefined && user !== undefined;
            return NOT_NAMED[isAssigned ? cacheModeOfUser(id, user) : defaultMode];
        }
        const mode = parseMode(header);
        if (mode) return NAMED[mode];
        const shown = JSON.stringify(header.slice(0, MAX_SHOWN));
        const message = `${HEADERS.cacheMode} is ${shown}; allowed: ${CACHE_MODES.join(", ")}`;
        throw new HttpError(400, message, { param: HEADERS.cacheMode });
    };
}

function withEachMode(isNamed: boolean): Readonly<Record<RequestCacheMode, ChosenCacheMode>> {
    return {
        exact: { mode: "exact", isNamed },
        semantic: { mode: "semantic", isNamed },
        "by text": { mode: "by text", isNamed },
    };
}

function parseMode(header: string): CacheMode | undefined {
    for (const mode of CACHE_MODES)
        if (header === mode || header.toLowerCase() === mode) return mode;
    return undefined;
}
