import type { CacheMode, Purpose } from "@property-search/contract";

import type { Span } from "./tracing/tracing.ts";

/** Context of a request that is passed to every tier. */
export interface RequestContext {
    /** Pool whose entries may be read and written; part of every key. */
    readonly pool: string;
    /** Tenant that is billed for upstream calls, and whose queue they wait in. */
    readonly tenant: string;
    readonly purpose: Purpose;
    /** Dimensions of the vectors, or undefined for the native ones. */
    readonly dimensions: number | undefined;
    /** Whether vectors may be predicted from those of similar texts. Default: exact. */
    readonly cacheMode?: RequestCacheMode | undefined;
    /** In milliseconds of `performance.now()`, which clock steps do not affect. Later results are dropped. */
    readonly deadline: number;
    /** Span of the request, if it is traced. */
    readonly span?: Span | undefined;
}

/** Context of a lookup in the local cache. */
export type LookupContext = Pick<RequestContext, "pool" | "tenant" | "dimensions" | "cacheMode">;

/** `by text`: an experiment chooses the mode of each text. */
export type RequestCacheMode = CacheMode | "by text";

/** The tenant of requests without an API key. */
export const ANONYMOUS = "anonymous";
