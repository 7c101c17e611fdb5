import {
    formatCount,
    formatDays,
    formatDollars,
    formatMilliseconds,
    formatPercent,
} from "../report/format.ts";
import type { Confidence, Figure, Recommendation, Report, Tenant } from "./report.ts";
import { addMeasured, MISS } from "./totals.ts";

/** What recommendations rest on. */
export type Figures = Omit<Report, "recommendations" | "notMeasured">;

/** Share of lookups answered by Redis from which a larger local cache is worth its memory. */
const MIN_L2_SHARE = 0.15;
/** Share of full local caches from which their size limits them. */
const MIN_FULL_SHARE = 0.5;
/** Share of all lookups that must be answered locally with twice the entries, with certainty. */
const MIN_LOCAL_GAIN = 0.01;
/** Share of the upstream's bill that another lifetime must save, with certainty. */
const MIN_TTL_SAVING = 0.01;
/** Share of the upstream's bill. */
const MIN_REFRESH_SHARE = 0.05;
/** Share of Redis' memory limit below which it has space for longer-lived entries. */
const MAX_REDIS_SHARE = 0.5;
const MIN_TENANT_SHARE = 0.01;
const MAX_TENANT_HIT_RATE = 0.5;
/** Difference from the hit rate of all tenants. */
const MIN_TENANT_DIFFERENCE = 0.2;
const MAX_TENANTS = 3;
/** Share of misses whose entry was not written. */
const MIN_DROPPED_SHARE = 0.01;

/**
 * Recommendations that the figures support. An effect is estimated with its interval where the ghost caches show what would
 * have happened with another setting; elsewhere it is a bound ("up to").
 */
export function recommend(figures: Figures): readonly Recommendation[] {
    const { state } = figures.completeness;
    if (state === "not measured") return [];
    const found = [
        overhead(figures),
        overload(figures),
        redisMemory(figures),
        redisWrites(figures),
        lifetime(figures),
        localCache(figures),
        ...tenantHitRates(figures),
    ].filter((one) => one !== undefined);
    if (state === "complete") return found;
    return found.map((one) => ({ ...one, confidence: lower(one.confidence) }));
}

const lower = (confidence: Confidence): Confidence => (confidence === "high" ? "medium" : "low");

/** Only of a complete window: missing counts are missing savings. */
function overhead({ cost, completeness, window }: Figures): Recommendation | undefined {
    const { net, saved, pods, storage, billedForCache } = cost;
    if (completeness.state !== "complete" || net === null || net >= 0) return undefined;
    return {
        id: "overhead-above-savings",
        action: "Run fewer or smaller pods, or less storage: the cache costs more than it saves.",
        effect: `The loss of ${formatDollars(-net)} in ${formatCount(window.hours)} hours ends if its cost falls by as much.`,
        confidence: "high",
        figures: [
            `saved ${formatDollars(saved)}`,
            `pods ${formatDollars(pods)}, storage ${formatDollars(storage)}`,
            `refreshes, warm-ups and probes ${formatDollars(billedForCache)}`,
        ],
    };
}

function overload({ hours, upstream }: Figures): Recommendation | undefined {
    const [worst] = hours
        .filter(({ overloaded }) => (overloaded ?? 0) > 0)
        .toSorted((a, b) => (b.overloaded ?? 0) - (a.overloaded ?? 0));
    if (worst === undefined || upstream.overloaded === null) return undefined;
    const count = hours.filter(({ overloaded }) => (overloaded ?? 0) > 0).length;
    return {
        id: "hot-hours",
        action: `Raise the minimum number of pods or the upstream's capacity before the hour from ${worst.from.slice(11, 16)} UTC, or warm up its texts before.`,
        effect: `Up to ${formatCount(upstream.overloaded)} rejected requests would be answered.`,
        confidence: "medium",
        figures: [
            `${formatCount(upstream.overloaded)} requests were rejected because the upstream queue was full, in ${count} of ${hours.length} hours`,
            `${formatCount(worst.overloaded)} of them in the hour from ${worst.from.slice(11, 16)} UTC`,
        ],
    };
}

function redisMemory({ redis, lookups, cost, missReasons }: Figures): Recommendation | undefined {
    const evicting = (redis ?? []).filter(({ evictedKeys = 0 }) => evictedKeys > 0);
    const misses = lookups.byTier[MISS] ?? null;
    if (evicting.length === 0 || misses === null || misses === 0) return undefined;
    const evicted = evicting.reduce((all, { evictedKeys = 0 }) => all + evictedKeys, 0);
    const share = missReasons.shares.evicted;
    const avoidable = Math.min(evicted, misses);
    const effect =
        share === null
            ? `Up to ${formatCount(avoidable)} misses avoided${dollarsFor(avoidable, misses, cost.billedForRequests)}.`
            : `${formatCount(share.value * misses)} misses avoided (between ${formatCount(share.low * misses)} and ${formatCount(share.high * misses)})${dollarsFor(share.high * misses, misses, cost.billedForRequests)}.`;
    return {
        id: "redis-memory",
        action: "Give Redis more memory: it evicts entries before they expire.",
        effect,
        confidence: share === null ? "low" : share.low > 0 ? "high" : "medium",
        figures: [
            ...evicting.map(
                ({ name, evictedKeys, maxUsedBytes, limitBytes }) =>
                    `${name} evicted ${formatCount(evictedKeys ?? null)} keys; it used up to ${formatShareOf(maxUsedBytes, limitBytes)} of its memory limit`,
            ),
            share === null
                ? `${formatCount(misses)} misses in the window; how many of them were of evicted entries is not measured`
                : `${formatPercent(share.value)} of ${formatCount(missReasons.sampled)} sampled misses were of evicted entries`,
        ],
    };
}

function redisWrites({ errors, lookups, cost }: Figures): Recommendation | undefined {
    const dropped = errors.redisWritesDropped;
    const misses = lookups.byTier[MISS] ?? null;
    if (dropped === null || misses === null || misses === 0) return undefined;
    if (dropped / misses < MIN_DROPPED_SHARE) return undefined;
    const avoidable = Math.min(dropped, misses);
    return {
        id: "redis-writes-dropped",
        action: "Find out why Redis does not accept writes (runbook EmbeddingRedisWritesDropped).",
        effect: `Up to ${formatCount(avoidable)} later misses avoided${dollarsFor(avoidable, misses, cost.billedForRequests)}.`,
        confidence: "medium",
        figures: [
            `${formatCount(dropped)} entries were not written, for ${formatCount(misses)} misses`,
        ],
    };
}

/**
 * The lifetime of entries that would have cost least in this window, if it is certain that it would have cost less. Without a
 * curve, only refreshes are known.
 */
function lifetime(figures: Figures): Recommendation | undefined {
    const { ttlCurve, redis, window, cost } = figures;
    const current = ttlCurve?.currentTtlSeconds ?? null;
    if (ttlCurve === null || current === null) return longerTtlByRefreshes(figures);
    const measured = ttlCurve.points.filter(({ dollars }) => dollars !== null);
    if (measured.length === 0) return longerTtlByRefreshes(figures);
    const usedShare = Math.max(
        ...(redis ?? []).map(({ maxUsedBytes, limitBytes = NaN }) => maxUsedBytes / limitBytes),
    );
    const billed = addMeasured(Object.values(cost.billedByPurpose)) ?? 0;
    const [best] = measured
        .filter(
            ({ memory, savedDollars }) =>
                (savedDollars?.low ?? 0) > MIN_TTL_SAVING * billed &&
                // Redis would evict entries before they expire.
                !((memory?.value ?? NaN) * usedShare > 1),
        )
        .toSorted(
            (one, other) => (other.savedDollars?.value ?? 0) - (one.savedDollars?.value ?? 0),
        );
    if (best === undefined || best.ttlSeconds === current) return undefined;
    const { ttlSeconds, savedDollars, memory, hitRate } = best;
    if (savedDollars === null || memory === null) return undefined;
    const isCertain = savedDollars.low >= savedDollars.value / 2;
    return {
        id: ttlSeconds > current ? "longer-ttl" : "shorter-ttl",
        action: `Keep entries for ${formatDays(ttlSeconds)} instead of ${formatDays(current)} (service.cacheTtlSeconds).`,
        effect: `${formatDollars(savedDollars.value)} less in ${formatCount(window.hours)} hours like these (between ${formatDollars(savedDollars.low)} and ${formatDollars(savedDollars.high)}), net of the memory of Redis.`,
        confidence: isCertain ? "high" : "medium",
        figures: [
            `${formatPercent(hitRate?.value)} of the lookups would have needed no fetch (between ${formatPercent(hitRate?.low)} and ${formatPercent(hitRate?.high)}), by a simulation with all requests for sampled keys`,
            `the entries would use ${formatPercent(memory.value)} of the memory that they use now`,
        ],
    };
}

function longerTtlByRefreshes({ cost, redis }: Figures): Recommendation | undefined {
    const refreshes = cost.billedByPurpose.refresh ?? null;
    const billed = addMeasured(Object.values(cost.billedByPurpose));
    if (refreshes === null || billed === null || billed <= 0 || redis === null) return undefined;
    if (refreshes / billed < MIN_REFRESH_SHARE) return undefined;
    const hasSpace = redis.every(
        ({ evictedKeys, maxUsedBytes, limitBytes = 0 }) =>
            evictedKeys === 0 && limitBytes > 0 && maxUsedBytes / limitBytes < MAX_REDIS_SHARE,
    );
    if (!hasSpace) return undefined;
    const fullest = Math.max(
        ...redis.map(({ maxUsedBytes, limitBytes = NaN }) => maxUsedBytes / limitBytes),
    );
    return {
        id: "longer-ttl",
        action: "Double the lifetime of entries (service.cacheTtlSeconds), or compare both by an experiment (docs/experiments.md).",
        effect: `Up to half of the refreshes avoided: up to ${formatDollars(refreshes / 2)} in this window. What another lifetime costs is not measured yet.`,
        confidence: "low",
        figures: [
            `refreshes cost ${formatDollars(refreshes)}, ${formatPercent(refreshes / billed)} of the upstream's bill`,
            `Redis evicted nothing and used at most ${formatPercent(fullest)} of its memory limit`,
        ],
    };
}

function localCache({
    lookups,
    latency,
    localCaches,
    localCacheCurve,
}: Figures): Recommendation | undefined {
    const { total, byTier } = lookups;
    const l2 = byTier["HIT-L2"] ?? null;
    const [near, far] = [latency.meanByTier["HIT-L1"], latency.meanByTier["HIT-L2"]];
    if (total === null || l2 === null || total === 0 || localCaches === null) return undefined;
    if (near === null || near === undefined || far === null || far === undefined) return undefined;
    if (l2 / total < MIN_L2_SHARE || far <= near) return undefined;
    if (localCaches.full / localCaches.pods < MIN_FULL_SHARE) return undefined;
    const gain = localCacheCurve?.gainOfDouble ?? null;
    if (gain !== null && gain.low < MIN_LOCAL_GAIN) return undefined;
    const faster = `in ${formatMilliseconds(near)} instead of ${formatMilliseconds(far)} on average`;
    return {
        id: "local-cache-size",
        action: "Double the local cache (service.localCacheMaxEntries): it is full, and Redis answers what it has replaced.",
        effect:
            gain === null
                ? `Up to ${formatCount(l2)} lookups answered by the pod's memory: ${faster}. The upstream's bill does not change.`
                : `${formatCount(gain.value * total)} of ${formatCount(total)} lookups (between ${formatCount(Math.min(gain.low * total, l2))} and ${formatCount(Math.min(gain.high * total, l2))}) answered by the pod's memory: ${faster}. The upstream's bill does not change.`,
        confidence: gain === null ? "low" : gain.low >= gain.value / 2 ? "high" : "medium",
        figures: [
            `${formatPercent(l2 / total)} of the lookups were answered by Redis`,
            `the local cache of ${localCaches.full} of ${localCaches.pods} pods was full (about ${formatCount(localCaches.entriesPerPod)} entries)`,
            ...(gain === null
                ? []
                : [
                      `the hit rate of twice as many entries is ${formatPercent(gain.value)} higher, by the distances between requests for sampled keys`,
                  ]),
        ],
    };
}

function tenantHitRates({ tenants }: Figures): readonly Recommendation[] {
    const tokensOf = (one: Tenant) => {
        const saved = addMeasured(Object.values(one.tokensSaved));
        return { saved, all: addMeasured([saved, one.tokensBilled]) };
    };
    const sum = (part: "saved" | "all") => addMeasured(tenants.map((one) => tokensOf(one)[part]));
    const [saved, all] = [sum("saved"), sum("all")];
    if (saved === null || all === null || all === 0) return [];
    const overall = saved / all;
    return tenants
        .flatMap((tenant) => {
            const { hitRate, dollarsBilled } = tenant;
            const share = (tokensOf(tenant).all ?? 0) / all;
            if (hitRate === null || dollarsBilled === null || share < MIN_TENANT_SHARE) return [];
            const isLow =
                hitRate < MAX_TENANT_HIT_RATE && hitRate < overall - MIN_TENANT_DIFFERENCE;
            const avoidable = dollarsBilled * (1 - (1 - overall) / (1 - hitRate));
            return isLow ? [{ tenant, hitRate, share, avoidable, dollarsBilled }] : [];
        })
        .sort((a, b) => b.avoidable - a.avoidable)
        .slice(0, MAX_TENANTS)
        .map(({ tenant: { tenant }, hitRate, share, avoidable, dollarsBilled }) => ({
            id: `tenant-hit-rate:${tenant}`,
            action: `Ask tenant ${tenant} whether it adds changing text, such as dates or IDs, to its requests, or may share a pool with another tenant.`,
            effect: `Up to ${formatDollars(avoidable)} less in this window, if its hit rate reaches that of all tenants.`,
            confidence: "low" as const,
            figures: [
                `hit rate ${formatPercent(hitRate)} of its tokens; all tenants ${formatPercent(overall)}`,
                `${formatPercent(share)} of all tokens, billed ${formatDollars(dollarsBilled)}`,
            ],
        }));
}

function dollarsFor(avoidable: number, misses: number, billed: Figure): string {
    return billed === null ? "" : `, up to ${formatDollars((billed * avoidable) / misses)}`;
}

function formatShareOf(used: number, limit: number | undefined): string {
    return limit === undefined || limit <= 0 ? "an unknown share" : formatPercent(used / limit);
}
