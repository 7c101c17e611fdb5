import type { Purpose } from "@property-search/contract";

import type { Span } from "./tracing/tracing.ts";

/** What a request brings along to every tier, beside its items. */
export interface Scope {
    /** Whose entries may be read and written: part of every key. */
    readonly pool: string;
    /** Who pays for what goes upstream, and waits in its own line for it. */
    readonly tenant: string;
    readonly purpose: Purpose;
    /** Length of the vectors, or undefined for the model's own. */
    readonly dimensions: number | undefined;
    /** In milliseconds of `performance.now()`, which no clock step moves: a later answer reaches nobody. */
    readonly deadline: number;
    /** Of the request, where it is traced. */
    readonly span?: Span | undefined;
}

/** Enough to look into a cache that costs no waiting. */
export type LookupScope = Pick<Scope, "pool" | "tenant" | "dimensions">;

/** The tenant of a service that is configured to answer everybody. */
export const ANONYMOUS = "anonymous";
