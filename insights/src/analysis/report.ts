import type { CacheStatus, FeedbackSource, MissReason, Purpose } from "@property-search/contract";
import type { Gap } from "../prometheus/processes.ts";
import type { LocalCaches } from "../prometheus/localCaches.ts";
import type { RedisServer } from "../prometheus/redis.ts";
import type { Estimate } from "./estimate.ts";

/** Version of report.json: raised by a change that its readers have to know of. */
export const SCHEMA_VERSION = 2;
export const SCHEMA = "property-search/insights-report";

/** A figure; null: not measured. An unknown is never 0. */
export type Figure = number | null;

export type ByTier = Readonly<Partial<Record<CacheStatus, Figure>>>;

/** `partial`: counts are missing; those reported are lower bounds, and sums with both signs, as net savings, are of the recorded part. */
export type State = "complete" | "partial" | "not measured";

/** Times are RFC 3339 in UTC. */
export interface ReportGap {
    readonly from: string;
    readonly to: string;
    readonly pod: string | null;
    readonly reason: string;
    readonly losesCounts: boolean;
}

export interface Tenant {
    readonly tenant: string;
    /** Tokens from a cache over all tokens, 0–1; null without tokens. */
    readonly hitRate: Figure;
    readonly tokensSaved: ByTier;
    readonly tokensBilled: Figure;
    readonly dollarsSaved: Figure;
    readonly dollarsBilled: Figure;
    readonly rejectedRequests: Figure;
}

/** Seconds; null without answers. */
export interface Quantiles {
    readonly answers: Figure;
    readonly p50: Figure;
    readonly p95: Figure;
    readonly p99: Figure;
}

export interface Cost {
    readonly savedByTier: ByTier;
    readonly saved: Figure;
    readonly billedByPurpose: Readonly<Partial<Record<Purpose, Figure>>>;
    /** Of REQUEST_PURPOSES: would be billed without a cache, too. */
    readonly billedForRequests: Figure;
    /** Of all other purposes: what the cache itself costs upstream. */
    readonly billedForCache: Figure;
    /** Overhead in the window; the rates are settings of the stack, which may be 0. */
    readonly pods: Figure;
    readonly storage: Figure;
    /** Saved less billedForCache, pods and storage. */
    readonly net: Figure;
    /** Saved over saved or billed to requests, 0–1. */
    readonly reduction: Figure;
    /** Net in 30 days at the rate of this window; null for a partial window. */
    readonly netPerMonth: Figure;
}

export interface Hour {
    readonly from: string;
    readonly lookups: Figure;
    readonly hitRate: Figure;
    readonly dollarsSaved: Figure;
    readonly dollarsBilled: Figure;
    readonly serverErrors: Figure;
    readonly overloaded: Figure;
    readonly p95: Figure;
    readonly isPartial: boolean;
}

/** Requests that a version answered. */
export interface Release {
    readonly colour: string;
    readonly version: string;
    readonly provider: string | null;
    readonly model: string | null;
    readonly requests: number;
    readonly firstSeen: string;
    readonly lastSeen: string;
}

/** Pods of a colour that Prometheus scraped. */
export interface Scaling {
    readonly colour: string;
    readonly least: number;
    readonly most: number;
    readonly mean: number;
    readonly added: number;
    readonly removed: number;
    readonly restarts: number;
}

export interface HotKey {
    readonly key: string;
    readonly tenant: string;
    readonly requests: number;
}

export type Confidence = "high" | "medium" | "low";

export interface Recommendation {
    readonly id: string;
    readonly action: string;
    readonly effect: string;
    readonly confidence: Confidence;
    /** Figures that it rests on, one sentence each. */
    readonly figures: readonly string[];
}

/** Estimated from a sample of the keys (docs/service/ghosts.md). */
export interface MissReasons {
    /** Misses in the sample. */
    readonly sampled: Figure;
    /** Shares of the misses; their sum is 1. */
    readonly shares: Readonly<Record<MissReason, Estimate | null>>;
}

/** What would have happened in the window with entries of this lifetime. */
export interface TtlPoint {
    readonly ttlSeconds: number;
    /** Share of lookups that would have needed no fetch, also none to refresh an entry; null: requests are not known so far back. */
    readonly hitRate: Estimate | null;
    /** Memory of the entries over that with the lifetime in force. */
    readonly memory: Estimate | null;
    /** Fetches and memory. */
    readonly dollars: Estimate | null;
    /** Less than with the lifetime in force. */
    readonly savedDollars: Estimate | null;
}

export interface TtlCurve {
    /** How far back requests were known at any time of the window. */
    readonly memorySeconds: number;
    /** In force at the window's end. */
    readonly currentTtlSeconds: Figure;
    readonly points: readonly TtlPoint[];
}

export interface LocalCacheCurve {
    /** Limit in force at the window's end. */
    readonly currentEntries: Figure;
    readonly points: readonly { readonly entries: number; readonly hitRate: Estimate | null }[];
    /** Hit rate with twice as many entries, less that with the limit in force. */
    readonly gainOfDouble: Estimate | null;
}

interface Verdicts {
    readonly relevant: Figure;
    readonly irrelevant: Figure;
}

/** Verdicts of clients, by how the vectors were made. */
export interface Feedback extends Verdicts {
    /** 0–1; null without verdicts. */
    readonly relevantShare: Figure;
    readonly bySource: Readonly<Record<FeedbackSource, Verdicts>>;
}

/** Content of report.json. Shares are 0–1, money is in dollars, durations are in seconds. */
export interface Report {
    readonly schema: typeof SCHEMA;
    readonly schemaVersion: typeof SCHEMA_VERSION;
    readonly generatedAt: string;
    readonly window: { readonly from: string; readonly to: string; readonly hours: number };
    readonly completeness: {
        readonly state: State;
        readonly scrapeSeconds: number;
        readonly processes: number;
        readonly gaps: readonly ReportGap[];
        /** What else made the figures partial. */
        readonly problems: readonly string[];
    };
    readonly lookups: {
        readonly total: Figure;
        readonly failed: Figure;
        readonly hitRate: Figure;
        readonly byTier: ByTier;
    };
    readonly missReasons: MissReasons;
    /** Null: not measured. */
    readonly ttlCurve: TtlCurve | null;
    readonly localCacheCurve: LocalCacheCurve | null;
    readonly feedback: Feedback;
    readonly tenants: readonly Tenant[];
    readonly latency: {
        readonly all: Quantiles;
        readonly byTier: Readonly<Partial<Record<CacheStatus, Quantiles>>>;
        /** Mean seconds by tier. */
        readonly meanByTier: ByTier;
    };
    readonly upstream: {
        readonly calls: Figure;
        readonly inputs: Figure;
        readonly tokensBilled: Figure;
        readonly tokensSaved: Figure;
        readonly failedAttempts: Figure;
        readonly overloaded: Figure;
    };
    readonly cost: Cost;
    readonly errors: {
        readonly requests: Figure;
        readonly serverErrors: Figure;
        readonly rejectedByLimits: Figure;
        readonly redisErrors: Figure;
        readonly redisWritesDropped: Figure;
        readonly redisEntriesCorrupt: Figure;
    };
    readonly scaling: readonly Scaling[];
    readonly releases: readonly Release[];
    /** Null: not measured. */
    readonly redis: readonly RedisServer[] | null;
    /** Null: not measured. */
    readonly localCaches: LocalCaches | null;
    readonly hours: readonly Hour[];
    /** Of one pod, from its admin port; null: not measured. */
    readonly hotKeys: readonly HotKey[] | null;
    /** Figures without data, and why. */
    readonly notMeasured: readonly { readonly figure: string; readonly reason: string }[];
    readonly recommendations: readonly Recommendation[];
}

export const formatTime = (seconds: number): string =>
    new Date(seconds * 1000).toISOString().replace(/[.]\d+Z$/, "Z");

export const formatGap = ({ from, to, pod, reason, losesCounts }: Gap): ReportGap => ({
    from: formatTime(from),
    to: formatTime(to),
    pod: pod ?? null,
    reason,
    losesCounts,
});
