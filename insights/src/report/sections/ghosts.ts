import { FEEDBACK_SOURCES, MISS_REASONS, type MissReason } from "@property-search/contract";
import type { Estimate } from "../../analysis/estimate.ts";
import type { Report } from "../../analysis/report.ts";
import { formatCount, formatDays, formatDollars, formatPercent, UNKNOWN } from "../format.ts";
import { tableOf, type Section } from "../section.ts";

/** For readers from outside engineering. */
const REASON_WORDS: Readonly<Record<MissReason, string>> = {
    cold: "the text was not requested before",
    expired: "the entry had reached the end of its lifetime",
    evicted: "Redis had removed the entry to free memory",
    invalidated: "the entry must not be used any more",
    not_stored: "requested before, but not stored",
    unknown: "unknown",
};

const formatEstimate = (estimate: Estimate | null, write = formatPercent): string =>
    estimate === null ? UNKNOWN : write(estimate.value);

const formatInterval = (estimate: Estimate | null, write = formatPercent): string =>
    estimate === null ? "" : `${write(estimate.low)} to ${write(estimate.high)}`;

export function missReasonsSection({ missReasons }: Report): Section | undefined {
    const { sampled, shares } = missReasons;
    if (shares.cold === null) return undefined;
    return {
        title: "Why texts were not in the cache",
        text: [
            `Estimated from a sample of the texts: ${formatCount(sampled)} misses. The true share is in its interval 95 times of 100.`,
        ],
        tables: [
            tableOf("Misses by reason", MISS_REASONS, {
                Reason: (reason) => REASON_WORDS[reason],
                Share: (reason) => formatEstimate(shares[reason]),
                Interval: (reason) => formatInterval(shares[reason]),
            }),
        ],
    };
}

export function ttlCurveSection({ ttlCurve, window }: Report): Section | undefined {
    if (ttlCurve === null) return undefined;
    const { currentTtlSeconds, memorySeconds, points } = ttlCurve;
    return {
        title: "What other lifetimes of entries would have cost",
        text: [
            `Simulated with all requests for a sample of the texts. Requests are known for ${formatDays(memorySeconds)}; a longer lifetime is not measured.`,
            currentTtlSeconds === null
                ? "The lifetime in force is not measured, so that no cost can be compared with it."
                : `In force is a lifetime of ${formatDays(currentTtlSeconds)}. Cost is that of fetches and of the memory in Redis, in ${formatCount(window.hours)} hours.`,
        ],
        tables: [
            tableOf("Lookups without a fetch, and cost, by lifetime", points, {
                Lifetime: ({ ttlSeconds }) => formatDays(ttlSeconds),
                "Without a fetch": ({ hitRate }) => formatEstimate(hitRate),
                Interval: ({ hitRate }) => formatInterval(hitRate),
                Cost: ({ dollars }) => formatEstimate(dollars, formatDollars),
                "Interval of the cost": ({ dollars }) => formatInterval(dollars, formatDollars),
            }),
        ],
    };
}

export function localCacheSection({ localCacheCurve }: Report): Section | undefined {
    if (localCacheCurve === null) return undefined;
    const { currentEntries, points } = localCacheCurve;
    return {
        title: "What other sizes of the pods' memory would have answered",
        text: [
            "Estimated from the distances between requests for a sample of the texts, for entries that are replaced by last use.",
            ...(currentEntries === null
                ? []
                : [`In force is a limit of ${formatCount(currentEntries)} entries in each pod.`]),
        ],
        tables: [
            tableOf("Hit rate by number of entries", points, {
                Entries: ({ entries }) => formatCount(entries),
                "Hit rate": ({ hitRate }) => formatEstimate(hitRate),
                Interval: ({ hitRate }) => formatInterval(hitRate),
            }),
        ],
    };
}

export function feedbackSection({ feedback }: Report): Section | undefined {
    const { relevant, irrelevant, relevantShare, bySource } = feedback;
    if (relevant === null || irrelevant === null || relevant + irrelevant === 0) return undefined;
    return {
        title: "Feedback",
        text: [
            `Clients called ${formatPercent(relevantShare)} of ${formatCount(relevant + irrelevant)} results relevant. They choose which results they rate.`,
        ],
        tables: [
            tableOf("Verdicts by how the vectors were made", FEEDBACK_SOURCES, {
                Vectors: (source) => (source === "unknown" ? "the client does not say" : source),
                Relevant: (source) => formatCount(bySource[source].relevant),
                Irrelevant: (source) => formatCount(bySource[source].irrelevant),
            }),
        ],
    };
}
