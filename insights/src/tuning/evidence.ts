/** What one complete day shows about each setting; a string says why it shows nothing. */
export interface Evidence {
    readonly cacheTtlSeconds: TtlEvidence | string;
    readonly localCacheMaxEntries: LocalCacheEvidence | string;
}

/** From the ghost caches: the fetches that entries of other lifetimes would have needed. */
export interface TtlEvidence {
    /** Lifetimes in seconds, ascending. */
    readonly ttls: readonly number[];
    /** Fetches per day, by group of keys and by lifetime. Each group is a random sample of the keys. */
    readonly fetches: readonly (readonly number[])[];
    /** How far back requests are known: fetches of longer lifetimes are upper bounds. */
    readonly memorySeconds: number;
    /** Fetches per day that the service made for client requests and refreshes. */
    readonly measuredFetches: number;
    readonly dollarsPerFetch: number;
    readonly dollarsPerEntrySecond: number;
    /** How long an entry is kept after its lifetime. */
    readonly staleSeconds: number;
}

/** From the ghost caches: the requests that a local cache of another size would have answered. */
export interface LocalCacheEvidence {
    /** Sizes in entries, ascending. */
    readonly entries: readonly number[];
    /** Share of all requests that a cache of each size would answer, 0–1, if it evicted by last use. */
    readonly hitShares: readonly number[];
    /** Shares of all lookups that were answered by the pod's memory, and by Redis. */
    readonly measuredShare: number;
    readonly redisShare: number;
}

/** The mean of several days with the same lifetimes and groups; prices are those of the last one. */
export function meanTtlEvidence(days: readonly TtlEvidence[]): TtlEvidence | undefined {
    const last = days.at(-1);
    if (last === undefined) return undefined;
    const shape = ({ ttls, fetches }: TtlEvidence) => `${ttls.join()} ${fetches.length}`;
    // Another version of the service may count other lifetimes.
    const alike = days.filter((day) => shape(day) === shape(last));
    const mean = (of: (day: TtlEvidence) => number) =>
        alike.reduce((sum, day) => sum + of(day), 0) / alike.length;
    return {
        ...last,
        fetches: last.fetches.map((group, at) =>
            group.map((_, ttl) => mean(({ fetches }) => fetches[at]?.[ttl] ?? 0)),
        ),
        measuredFetches: mean(({ measuredFetches }) => measuredFetches),
    };
}

export function meanLocalCacheEvidence(
    days: readonly LocalCacheEvidence[],
): LocalCacheEvidence | undefined {
    const last = days.at(-1);
    if (last === undefined) return undefined;
    const alike = days.filter(({ entries }) => entries.join() === last.entries.join());
    const mean = (of: (day: LocalCacheEvidence) => number) =>
        alike.reduce((sum, day) => sum + of(day), 0) / alike.length;
    return {
        entries: last.entries,
        hitShares: last.hitShares.map((_, at) => mean(({ hitShares }) => hitShares[at] ?? 0)),
        measuredShare: mean(({ measuredShare }) => measuredShare),
        redisShare: mean(({ redisShare }) => redisShare),
    };
}

/** Interpolates between points on logarithmic axes; beyond them, the nearest point. Points ascend. */
export function interpolate(
    at: number,
    points: readonly number[],
    values: readonly number[],
): number {
    const next = points.findIndex((point) => point >= at);
    const last = values.length - 1;
    if (next === -1) return values[last] ?? NaN;
    if (next === 0 || points[next] === at) return values[next] ?? NaN;
    const [x0 = NaN, x1 = NaN] = [points[next - 1], points[next]];
    const [y0 = NaN, y1 = NaN] = [values[next - 1], values[next]];
    const part = Math.log(at / x0) / Math.log(x1 / x0);
    // A value of 0 has no logarithm.
    if (y0 <= 0 || y1 <= 0) return y0 + part * (y1 - y0);
    return y0 * (y1 / y0) ** part;
}
