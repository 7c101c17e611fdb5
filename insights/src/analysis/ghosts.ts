import {
    FEEDBACK_SOURCES,
    FEEDBACK_VERDICTS,
    GHOST_GROUPS,
    GHOST_TTLS_SECONDS,
    METRICS,
    MISS_REASONS,
    REUSE_DISTANCE_BUCKETS,
} from "@property-search/contract";
import type { GhostGauges } from "../prometheus/ghosts.ts";
import { estimateByGroups, interpolate, toShare, type Estimate } from "./estimate.ts";
import type {
    Feedback,
    Figure,
    LocalCacheCurve,
    MissReasons,
    Report,
    TtlCurve,
    TtlPoint,
} from "./report.ts";
import { add, addMeasured, ratio, type Totals } from "./totals.ts";

/** Share of requests without a history above which the curves are not measured. */
const MAX_DROPPED_SHARE = 0.01;
const GROUPS = Array.from({ length: GHOST_GROUPS }, (_, group) => String(group));

/** Counts by group of sampled keys; undefined if one of them is not measured. */
function countsOf(
    totals: Totals,
    columns: readonly (readonly [name: string, labels: Readonly<Record<string, string>>])[],
): readonly (readonly number[])[] | undefined {
    const rows = GROUPS.map((group) =>
        columns.map(([name, labels]) => totals.sum(name, { ...labels, group })),
    );
    return rows.every((row) => row.every((one) => one !== null)) ? rows : undefined;
}

const sumOf = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0);

/** Why lookups missed: shares of the misses of sampled keys. */
export function missReasonsOf(totals: Totals, { samplingRatio }: GhostGauges): MissReasons {
    const counts = countsOf(
        totals,
        MISS_REASONS.map((reason) => [METRICS.misses, { reason }]),
    );
    const sampled =
        counts && samplingRatio !== undefined && curveGapOf(totals) === undefined
            ? Math.round(sumOf(counts.flat()) * samplingRatio)
            : null;
    return {
        sampled,
        shares: Object.fromEntries(
            MISS_REASONS.map((reason, place) => {
                const estimate =
                    counts &&
                    estimateByGroups(counts, (sums) => (sums[place] ?? NaN) / sumOf(sums));
                return [reason, estimate && sampled ? toShare(estimate, sampled) : null];
            }),
        ) as MissReasons["shares"],
    };
}

/** What the figures of a window say of its money. */
type Money = Pick<Report, "lookups" | "upstream" | "cost" | "redis">;

/** Why curves of lifetimes and reasons of misses are not measured. */
export function curveGapOf(totals: Totals): string | undefined {
    const dropped = totals.sum(METRICS.ghostDropped);
    const known = addMeasured([
        totals.sum(`${METRICS.ghostReuseTime}_count`),
        totals.sum(METRICS.ghostFirstRequests),
    ]);
    if (known === null || dropped === null) return "the service has not measured it";
    if (dropped > MAX_DROPPED_SHARE * (known + dropped))
        return "Redis was unavailable, so the history of too many requests is unknown";
    return undefined;
}

/**
 * What entries of each lifetime would have cost in this window: fetches upstream, and memory of Redis. The counts of fetches
 * are of a simulation with all requests for the sampled keys.
 */
export function ttlCurveOf(
    totals: Totals,
    { samplingRatio, memorySeconds, ttlSeconds }: GhostGauges,
    money: Money,
    windowSeconds: number,
): TtlCurve | null {
    const counts = countsOf(
        totals,
        GHOST_TTLS_SECONDS.map((ttl) => [METRICS.ghostFetches, { ttl_seconds: String(ttl) }]),
    );
    const requests = add(money.lookups.total, money.lookups.failed);
    const isMeasured =
        counts !== undefined &&
        memorySeconds !== undefined &&
        samplingRatio !== undefined &&
        requests !== null &&
        requests > 0 &&
        curveGapOf(totals) === undefined;
    if (!isMeasured) return null;
    const prices = pricesOf(money, windowSeconds);
    /** The sample's own requests vary with its few hottest keys; all requests of the window are known exactly. */
    const shares = (sums: readonly number[]): readonly (readonly [number, number])[] => {
        const [groups = NaN, ...fetches] = sums;
        return GHOST_TTLS_SECONDS.map((ttl, place) => [
            ttl,
            (fetches[place] ?? NaN) / (requests * (groups / GHOST_GROUPS)),
        ]);
    };
    const rows = counts.map((row) => [1, ...row]);
    const known = GHOST_TTLS_SECONDS.filter((ttl) => ttl <= memorySeconds);
    const shareAt = (sums: readonly number[], ttl: number): number => {
        const within = shares(sums).filter(([one]) => one <= memorySeconds);
        return interpolate(within, ttl) ?? NaN;
    };
    const entrySeconds = (sums: readonly number[], ttl: number) => shareAt(sums, ttl) * ttl;
    const memoryAt = (sums: readonly number[], ttl: number): number =>
        ttlSeconds === undefined ? NaN : entrySeconds(sums, ttl) / entrySeconds(sums, ttlSeconds);
    const dollarsAt = (sums: readonly number[], ttl: number): number =>
        shareAt(sums, ttl) * requests * (prices?.perFetch ?? NaN) +
        memoryAt(sums, ttl) * (prices?.memory ?? NaN);
    const current = ttlSeconds ?? NaN;
    return {
        memorySeconds,
        currentTtlSeconds: ttlSeconds ?? null,
        points: GHOST_TTLS_SECONDS.map((ttl): TtlPoint => {
            const share = known.includes(ttl)
                ? estimateByGroups(rows, (sums) => shareAt(sums, ttl))
                : undefined;
            const hits = share && toShare(share, requests * samplingRatio);
            return {
                ttlSeconds: ttl,
                hitRate: hits ? invert(hits) : null,
                memory: estimateByGroups(rows, (sums) => memoryAt(sums, ttl)) ?? null,
                dollars: estimateByGroups(rows, (sums) => dollarsAt(sums, ttl)) ?? null,
                savedDollars:
                    estimateByGroups(
                        rows,
                        (sums) => dollarsAt(sums, current) - dollarsAt(sums, ttl),
                    ) ?? null,
            };
        }),
    };
}

const invert = ({ value, low, high }: Estimate): Estimate => ({
    value: 1 - value,
    low: 1 - high,
    high: 1 - low,
});

/** Dollars of a fetch, and of the memory that the entries use in the window. */
function pricesOf(
    { upstream, cost, redis }: Money,
    windowSeconds: number,
): { readonly perFetch: number; readonly memory: number } | undefined {
    const { request = null, audit = null, refresh = null, warmup = null } = cost.billedByPurpose;
    const billed = addMeasured([request, audit, refresh, warmup]);
    const perFetch = ratio(billed, upstream.inputs);
    if (perFetch === null || cost.storage === null || redis === null || windowSeconds <= 0)
        return undefined;
    // The price is that of all memory, of which the entries use a part.
    const used = sumOf(redis.map(({ meanUsedBytes }) => meanUsedBytes));
    const limits = redis.map(({ limitBytes = 0 }) => limitBytes);
    const usedShare = limits.every((limit) => limit > 0) ? used / sumOf(limits) : 1;
    return { perFetch, memory: cost.storage * usedShare };
}

/** Hit rates that local caches of other sizes would have had: of least recently used entries, in each pod. */
export function localCacheCurveOf(
    totals: Totals,
    { localEntries }: GhostGauges,
    lookups: Report["lookups"],
): LocalCacheCurve | null {
    const name = METRICS.ghostReuseDistance;
    const counts = countsOf(totals, [
        [`${name}_bucket`, { le: "+Inf" }],
        ...REUSE_DISTANCE_BUCKETS.map(
            (bound) => [`${name}_bucket`, { le: String(bound) }] as const,
        ),
    ]);
    const requests = add(lookups.total, lookups.failed);
    if (counts === undefined || requests === null || requests <= 0) return null;
    const rows = counts.map((row) => [1, ...row]);
    /** The difference of the sample's requests to all requests is that of its few hottest keys, which any cache has. */
    const rateAt = (sums: readonly number[], entries: number): number => {
        const [groups = NaN, sampled = NaN, ...below] = sums;
        const all = requests * (groups / GHOST_GROUPS);
        const points = REUSE_DISTANCE_BUCKETS.map(
            (bound, place) => [bound, ((below[place] ?? NaN) + all - sampled) / all] as const,
        );
        return interpolate(points, entries) ?? NaN;
    };
    const estimate = (of: (sums: readonly number[]) => number): Estimate | null => {
        const found = estimateByGroups(rows, of);
        return found ? toShare(found, Infinity) : null;
    };
    return {
        currentEntries: localEntries ?? null,
        points: REUSE_DISTANCE_BUCKETS.map((entries) => ({
            entries,
            hitRate: estimate((sums) => rateAt(sums, entries)),
        })),
        gainOfDouble:
            localEntries === undefined
                ? null
                : (estimateByGroups(
                      rows,
                      (sums) => rateAt(sums, 2 * localEntries) - rateAt(sums, localEntries),
                  ) ?? null),
    };
}

export function feedbackOf(totals: Totals): Feedback {
    const count = (labels: Readonly<Record<string, string>>): Figure =>
        totals.sum(METRICS.feedback, labels);
    const [relevant, irrelevant] = FEEDBACK_VERDICTS.map((verdict) => count({ verdict }));
    return {
        relevant: relevant ?? null,
        irrelevant: irrelevant ?? null,
        relevantShare: ratio(relevant ?? null, add(relevant, irrelevant)),
        bySource: Object.fromEntries(
            FEEDBACK_SOURCES.map((source) => {
                const [own, others] = FEEDBACK_VERDICTS.map((verdict) =>
                    count({ verdict, source }),
                );
                return [source, { relevant: own ?? null, irrelevant: others ?? null }];
            }),
        ) as Feedback["bySource"],
    };
}
