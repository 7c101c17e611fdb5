import type { EventKind } from "./bin.ts";

/** A figure; null: not measured. An unknown is never 0. */
export type Figure = number | null;

/** Time ranges of the page: their length, and the length of a point of its plots, in seconds. */
export const RANGES = {
    "1h": { seconds: 3_600, stepSeconds: 60, words: "last hour" },
    "6h": { seconds: 21_600, stepSeconds: 300, words: "last 6 hours" },
    "24h": { seconds: 86_400, stepSeconds: 900, words: "last 24 hours" },
    "7d": { seconds: 604_800, stepSeconds: 3_600, words: "last 7 days" },
    "30d": { seconds: 2_592_000, stepSeconds: 21_600, words: "last 30 days" },
    "365d": { seconds: 31_536_000, stepSeconds: 86_400, words: "last 365 days" },
} as const;

export type RangeName = keyof typeof RANGES;

/** Dollars in a time. */
export interface Money {
    /** What the upstream would have charged for texts that a cache answered. */
    readonly saved: Figure;
    /** Upstream calls for the cache itself: refreshes, warm-ups, probes. */
    readonly billedForCache: Figure;
    readonly pods: Figure;
    readonly storage: Figure;
    /** Saved less billedForCache, pods and storage, of the time in which all four were measured. */
    readonly net: Figure;
    /** Upstream calls for misses, which would cost the same without a cache. */
    readonly billedForRequests: Figure;
}

/** A time in RFC 3339, and how much of it was measured. `partial`: counts are missing, and those shown are lower bounds. */
export interface Measured {
    readonly from: string;
    readonly to: string;
    readonly measuredSeconds: number;
    readonly state: "complete" | "partial" | "not measured";
}

export interface SeriesOfView {
    /** Begin and end of each point, in Unix seconds. */
    readonly from: readonly number[];
    readonly to: readonly number[];
    /** Seconds of each point that its values are of. */
    readonly seconds: readonly number[];
    /** Values by name, one for each point. Null: no data, or no event that the value is of. */
    readonly values: Readonly<Record<SeriesName, readonly Figure[]>>;
    /** Share of the requests that each version answered, 0–1, by `colour version`. */
    readonly versions: Readonly<Record<string, readonly Figure[]>>;
    /** Mean number of pods, by colour. */
    readonly pods: Readonly<Record<string, readonly Figure[]>>;
}

/** Dollars are per point, those of netSum since the start of the range; shares are 0–1, durations in seconds, rates per second. */
export type SeriesName =
    | (
          | "saved"
          | "cost"
          | "net"
          | "netSum"
          | "hitRate"
          | "hitL1"
          | "hitL2"
          | "semantic"
          | "otherHits"
          | "miss"
      )
    | ("mean" | "p95" | "requestsPerSecond" | "textsPerSecond" | "errorShare")
    | ("concurrentMean" | "concurrentPeak" | "cpuShare" | "cpuCores" | "relevantShare");

/** Content of the page, of `/impact/api/impact`. Times are RFC 3339 in UTC, unless their name says otherwise. */
export interface ImpactView {
    readonly schema: "property-search/impact";
    readonly schemaVersion: 1;
    readonly generatedAt: string;
    readonly range: Measured & { readonly name: RangeName; readonly stepSeconds: number };
    /** Whether earlier hours are still being read from Prometheus. */
    readonly isLoading: boolean;
    /** Why the latest figures are missing; null: they are not. */
    readonly outage: string | null;
    readonly toDate: Measured &
        Money & {
            /** Days that are only known by their daily report. */
            readonly daysFromReports: number;
            readonly queries: Figure;
        };
    /** Net savings at the rate of the latest days. */
    readonly runRate: Measured & {
        readonly netPerMonth: Figure;
        readonly netPerYear: Figure;
        /** Whether it rests on less than a day, which does not show how a day goes. */
        readonly isProvisional: boolean;
    };
    /** The figures below are of the range. */
    readonly money: Money;
    /** Whether the stack sets prices of pods or storage; otherwise the cost of running counts as 0. */
    readonly hasPrices: boolean | null;
    readonly queries: {
        /** Texts that were looked up. */
        readonly total: Figure;
        readonly cost: Figure;
        readonly costWithoutCache: Figure;
    };
    readonly hitRate: {
        readonly total: Figure;
        /** Texts by `result` of the lookup. */
        readonly byResult: Readonly<Record<string, number>>;
        /** Estimated misses by reason; null: not measured, or the history of too many requests is not known. */
        readonly missReasons: Readonly<Record<string, number>> | null;
        /** Of these misses, those whose reason is not certain, 0–1. */
        readonly unclassifiedShare: Figure;
        /** Of the queries, those whose history is not known, since Redis was unavailable, 0–1. */
        readonly droppedShare: Figure;
    };
    readonly latency: { readonly mean: Figure; readonly p95: Figure; readonly responses: Figure };
    readonly feedback: Feedback;
    readonly semantic: {
        readonly answers: Figure;
        readonly audits: Figure;
        /** Now: upper bound on the share of wrong answers, and the budget. */
        readonly errorBound: Figure;
        readonly errorBudget: Figure;
        /** Now: mean share of the ten nearest documents that semantic answers have in common with true ones. */
        readonly overlap: Figure;
        readonly feedback: Feedback;
    };
    readonly traffic: {
        readonly requests: Figure;
        readonly perSecond: Figure;
        readonly serverErrors: Figure;
        readonly concurrentMean: Figure;
        readonly concurrentPeak: Figure;
    };
    readonly capacity: {
        readonly podsNow: Figure;
        readonly podsMean: Figure;
        readonly cpuCores: Figure;
        /** Of the pods' limits. */
        readonly cpuShare: Figure;
        readonly podsAdded: number;
        readonly podsRemoved: number;
        readonly restarts: number;
    };
    readonly settings: readonly SettingOfView[];
    readonly versions: readonly {
        readonly colour: string;
        readonly version: string;
        readonly requests: number;
        readonly share: number;
        readonly firstServed: string;
        readonly lastServed: string;
    }[];
    readonly events: readonly {
        readonly at: string;
        readonly kind: EventKind;
        readonly text: string;
    }[];
    /** Events that are left out, the earliest ones. */
    readonly eventsLeftOut: number;
    readonly gaps: readonly {
        readonly from: string;
        readonly to: string;
        readonly pod: string | null;
        readonly reason: string;
    }[];
    readonly gapsLeftOut: number;
    readonly notMeasured: readonly { readonly figure: string; readonly reason: string }[];
    readonly series: SeriesOfView;
}

/** A run-time setting of the service, in all pods. */
export interface SettingOfView {
    readonly setting: string;
    /** In force now, by `source`: config, tuned, or the arms of an experiment. They differ between pods only for seconds. */
    readonly inForce: readonly {
        readonly source: string;
        readonly lowest: number;
        readonly highest: number;
    }[];
    /** The configured value. */
    readonly default: Figure;
    readonly tuner: LatestDecisions;
}

/** What the tuner last did about a setting; null: nothing. */
export interface LatestDecisions {
    readonly latest: {
        readonly at: string;
        readonly action: string;
        readonly reason: string;
    } | null;
    /** Its last change that was made. */
    readonly changed: {
        readonly at: string;
        readonly from: number;
        readonly to: number;
        readonly reason: string;
        readonly status: string;
        readonly outcome: string | null;
    } | null;
}

/** Verdicts by POST /v1/feedback. */
export interface Feedback {
    readonly relevant: Figure;
    readonly irrelevant: Figure;
    /** Relevant ones of both, 0–1. */
    readonly share: Figure;
}
