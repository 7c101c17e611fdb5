import { CACHE_STATUSES } from "@property-search/contract";
import { SCHEMA, SCHEMA_VERSION, type Report } from "../../src/analysis/report.ts";

const byTier = (value: number | null) =>
    Object.fromEntries(CACHE_STATUSES.map((tier) => [tier, value]));
const NO_ANSWERS = { answers: null, p50: null, p95: null, p99: null };

/** A report in which nothing is measured. */
export function blankReport(changes: Partial<Report> = {}): Report {
    return {
        schema: SCHEMA,
        schemaVersion: SCHEMA_VERSION,
        generatedAt: "2026-11-30T02:01:00Z",
        window: { from: "2026-11-29T02:00:00Z", to: "2026-11-30T02:00:00Z", hours: 24 },
        completeness: {
            state: "complete",
            scrapeSeconds: 15,
            processes: 1,
            gaps: [],
            problems: [],
        },
        lookups: { total: null, failed: null, hitRate: null, byTier: byTier(null) },
        missReasons: {
            sampled: null,
            shares: {
                cold: null,
                expired: null,
                evicted: null,
                invalidated: null,
                not_stored: null,
                unknown: null,
            },
        },
        ttlCurve: null,
        localCacheCurve: null,
        feedback: {
            relevant: null,
            irrelevant: null,
            relevantShare: null,
            bySource: {
                exact: { relevant: null, irrelevant: null },
                semantic: { relevant: null, irrelevant: null },
                unknown: { relevant: null, irrelevant: null },
            },
        },
        tenants: [],
        latency: { all: NO_ANSWERS, byTier: {}, meanByTier: byTier(null) },
        upstream: {
            calls: null,
            inputs: null,
            tokensBilled: null,
            tokensSaved: null,
            failedAttempts: null,
            overloaded: null,
        },
        cost: {
            savedByTier: byTier(null),
            saved: null,
            billedForRequests: null,
            billedByPurpose: {},
            billedForCache: null,
            pods: null,
            storage: null,
            net: null,
            reduction: null,
            netPerMonth: null,
        },
        errors: {
            requests: null,
            serverErrors: null,
            rejectedByLimits: null,
            redisErrors: null,
            redisWritesDropped: null,
            redisEntriesCorrupt: null,
        },
        scaling: [],
        releases: [],
        redis: null,
        localCaches: null,
        hours: [],
        hotKeys: null,
        notMeasured: [],
        recommendations: [],
        ...changes,
    };
}

/** A report of a day like any other. */
export function usualReport(changes: Partial<Report> = {}): Report {
    const blank = blankReport();
    return {
        ...blank,
        lookups: {
            total: 1000,
            failed: 2,
            hitRate: 0.8,
            byTier: { "HIT-L1": 500, "HIT-L2": 300, COALESCED: 0, STALE: 0, MISS: 200 },
        },
        latency: {
            ...blank.latency,
            all: { answers: 998, p50: 0.0004, p95: 0.012, p99: 0.2 },
            meanByTier: { "HIT-L1": 0.0004, "HIT-L2": 0.002 },
        },
        cost: {
            ...blank.cost,
            saved: 8,
            billedForRequests: 2,
            billedByPurpose: { request: 2, refresh: 0.5, warmup: 0 },
            billedForCache: 0.5,
            pods: 1,
            storage: 0.5,
            net: 6,
            reduction: 0.8,
            netPerMonth: 180,
        },
        errors: { ...blank.errors, requests: 1000, serverErrors: 2, redisWritesDropped: 0 },
        upstream: { ...blank.upstream, overloaded: 0 },
        redis: [
            {
                name: "redis-0",
                meanUsedBytes: 100,
                maxUsedBytes: 200,
                limitBytes: 1000,
                evictedKeys: 0,
                expiredKeys: 5,
                coveredShare: 1,
            },
        ],
        localCaches: { pods: 3, full: 0, entriesPerPod: 2000 },
        ...changes,
    };
}
