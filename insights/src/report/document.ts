import { CACHE_STATUSES, OTHER_TENANTS } from "@property-search/contract";
import type { Cost, Hour, Report } from "../analysis/report.ts";
import { HIT_TIERS, ratio } from "../analysis/totals.ts";
import {
    formatBytes,
    formatCount,
    formatDollars,
    formatMilliseconds,
    formatMoment,
    formatPercent,
} from "./format.ts";
import { tableOf, type Section } from "./section.ts";
import {
    feedbackSection,
    localCacheSection,
    missReasonsSection,
    ttlCurveSection,
} from "./sections/ghosts.ts";

/** Content of the report, which HTML and Markdown write in their own way. */
export interface ReportDocument {
    readonly title: string;
    readonly period: string;
    /** The day in sentences. */
    readonly summary: readonly string[];
    readonly cards: readonly Card[];
    readonly sections: readonly Section[];
}

export interface Card {
    readonly title: string;
    readonly value: string;
    readonly note: string;
}

/** Names of the tiers for readers from outside engineering. */
const TIER_WORDS: Readonly<Record<string, string>> = {
    "HIT-L1": "memory of the pod",
    "HIT-L2": "Redis",
    SEMANTIC: "predicted from similar texts",
    COALESCED: "shared with a request at the same time",
    STALE: "expired entry, since the upstream failed or was slow",
    MISS: "computed and paid for",
};

export function createDocument(report: Report): ReportDocument {
    return {
        title: "What the embedding cache earned",
        period: `${formatMoment(report.window.from)} to ${formatMoment(report.window.to)}`,
        summary: summarize(report),
        cards: cardsOf(report),
        sections: [
            gapsSection(report),
            recommendationsSection(report),
            costSection(report),
            lookupsSection(report),
            missReasonsSection(report),
            ttlCurveSection(report),
            localCacheSection(report),
            tenantsSection(report),
            feedbackSection(report),
            hoursSection(report),
            latencySection(report),
            upstreamSection(report),
            platformSection(report),
            redisSection(report),
            hotKeysSection(report),
            notMeasuredSection(report),
        ].filter((section) => section !== undefined),
    };
}

export function summarize({ completeness, lookups, cost, window }: Report): readonly string[] {
    const { state, gaps } = completeness;
    if (state === "not measured") {
        return [
            "Nothing is known of this period: no figure below is a zero, all of them are unknown.",
            ...gaps.map(({ reason }) => `Reason: ${reason}.`),
        ];
    }
    const least = state === "partial" ? "at least " : "";
    const earned =
        cost.net === null
            ? `The cache saved ${formatDollars(cost.saved)} of upstream cost; what it earned after its own cost is not measured.`
            : cost.net >= 0
              ? `In ${formatCount(window.hours)} hours the cache saved ${formatDollars(cost.saved)} of upstream cost and earned ${formatDollars(cost.net)} after its own cost.`
              : `In ${formatCount(window.hours)} hours the cache saved ${formatDollars(cost.saved)} of upstream cost, but its own cost was higher: a loss of ${formatDollars(-cost.net)}.`;
    return [
        earned,
        `It answered ${formatPercent(lookups.hitRate)} of ${least}${formatCount(lookups.total)} texts without a new upstream call.`,
        ...(state === "partial"
            ? [
                  "Data are missing (see Gaps): all figures are of the recorded part. The real counts are at least as high; net savings may be higher or lower.",
              ]
            : []),
        ...(hasNoPrice(cost)
            ? [
                  "The stack sets no price for pods and storage, so that the cost of running the cache counts as 0.",
              ]
            : []),
    ];
}

const hasNoPrice = ({ pods, storage }: Cost): boolean => pods === 0 && storage === 0;

function cardsOf({ completeness, cost, lookups, latency, errors }: Report): readonly Card[] {
    const partial = completeness.state === "partial" ? "recorded part only" : "";
    return [
        { title: "Net savings", value: formatDollars(cost.net), note: partial },
        {
            title: "Net per 30 days",
            value: formatDollars(cost.netPerMonth),
            note:
                cost.netPerMonth === null
                    ? "needs a complete period"
                    : "at the rate of this period",
        },
        {
            title: "Cost reduction",
            value: formatPercent(cost.reduction),
            note: "of the cost without a cache",
        },
        { title: "Hit rate", value: formatPercent(lookups.hitRate), note: "of the texts" },
        {
            title: "p95 response time",
            value: formatMilliseconds(latency.all.p95),
            note: "95 of 100 answers are faster",
        },
        {
            title: "Server errors",
            value: formatPercent(ratio(errors.serverErrors, errors.requests)),
            note: `${formatCount(errors.serverErrors)} of ${formatCount(errors.requests)} requests`,
        },
    ];
}

function gapsSection({ completeness }: Report): Section | undefined {
    const { gaps, problems, state } = completeness;
    if (gaps.length === 0 && problems.length === 0) return undefined;
    return {
        title: "Gaps",
        text: [
            state === "complete"
                ? "No count is missing from the totals. Only the hours of some counts are unknown."
                : "Figures of this report do not include what happened in these times.",
        ],
        list: problems,
        tables: [
            {
                ...tableOf("Times without data", gaps, {
                    From: ({ from }) => formatSecond(from),
                    To: ({ to }) => formatSecond(to),
                    Of: ({ pod }) => pod ?? "all pods",
                    Reason: ({ reason }) => reason,
                    Counts: ({ losesCounts }) => (losesCounts ? "missing" : "complete"),
                }),
                isText: true,
            },
        ],
    };
}

const formatSecond = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;

function recommendationsSection({ recommendations }: Report): Section {
    return {
        title: "Recommendations",
        text: recommendations.length === 0 ? ["None: no figure of this period supports one."] : [],
        tables: [
            {
                ...tableOf("Recommendations, most certain effect first", recommendations, {
                    Do: ({ action }) => action,
                    "Expected effect": ({ effect }) => effect,
                    Confidence: ({ confidence }) => confidence,
                    Because: ({ figures }) => figures.join("; "),
                }),
                isText: true,
            },
        ],
    };
}

function costSection({ cost }: Report): Section {
    return {
        title: "Savings and cost",
        text: [
            "Saved is what the upstream would have charged for texts that a cache answered. Misses would cost the same without a cache.",
        ],
        tables: [
            {
                caption: "Dollars in this period",
                columns: ["Part", "Dollars"],
                rows: [
                    ...HIT_TIERS.map((tier) => [
                        `Saved: ${describeTier(tier)}`,
                        formatDollars(cost.savedByTier[tier]),
                    ]),
                    ["Saved in total", formatDollars(cost.saved)],
                    [
                        "Upstream: refreshes, warm-ups and probes",
                        formatDollars(cost.billedForCache),
                    ],
                    ["Pods", formatDollars(cost.pods)],
                    ["Storage", formatDollars(cost.storage)],
                    ["Net savings", formatDollars(cost.net)],
                    ["Upstream: misses (not subtracted)", formatDollars(cost.billedForRequests)],
                ],
            },
        ],
    };
}

function lookupsSection({ lookups }: Report): Section {
    return {
        title: "Hit rate by tier",
        text: ["A tier is the place that the answer came from."],
        tables: [
            {
                caption: "Texts by tier",
                columns: ["Tier", "Texts", "Share"],
                rows: [
                    ...CACHE_STATUSES.map((tier) => [
                        describeTier(tier),
                        formatCount(lookups.byTier[tier]),
                        formatPercent(ratio(lookups.byTier[tier] ?? null, lookups.total)),
                    ]),
                    ["All", formatCount(lookups.total), ""],
                    ["Failed (not in the hit rate)", formatCount(lookups.failed), ""],
                ],
            },
        ],
    };
}

const describeTier = (tier: string): string => {
    const words = TIER_WORDS[tier];
    return words === undefined ? tier : `${tier} (${words})`;
};

/** Tenants in the HTML and Markdown; the JSON has all of them. */
const MAX_TENANTS = 50;

function tenantsSection({ tenants }: Report): Section | undefined {
    if (tenants.length === 0) return undefined;
    const shown = tenants.slice(0, MAX_TENANTS);
    return {
        title: "Tenants",
        text: [
            "The hit rate of a tenant is by tokens: long texts count more.",
            ...(shown.length < tenants.length
                ? [`The ${MAX_TENANTS} largest of ${tenants.length}; report.json has all.`]
                : []),
            ...(tenants.some(({ tenant }) => tenant === OTHER_TENANTS)
                ? [`"${OTHER_TENANTS}" combines tenants beyond a pod's first 500.`]
                : []),
        ],
        tables: [
            tableOf("Tenants, largest first", shown, {
                Tenant: ({ tenant }) => tenant,
                "Hit rate": ({ hitRate }) =>
                    hitRate === null ? "no tokens" : formatPercent(hitRate),
                Saved: ({ dollarsSaved }) => formatDollars(dollarsSaved),
                Billed: ({ dollarsBilled }) => formatDollars(dollarsBilled),
                Rejected: ({ rejectedRequests }) => formatCount(rejectedRequests),
            }),
        ],
    };
}

function hoursSection({ hours }: Report): Section | undefined {
    if (hours.length === 0) return undefined;
    const mark = ({ isPartial }: Hour) => (isPartial ? " (partial)" : "");
    return {
        title: "Hours",
        text: [
            "Times are UTC. In an hour that is not measured, a scrape at its begin or end is missing; its counts are in the totals above unless Gaps lists them as missing.",
        ],
        chart: {
            title: "Texts per hour",
            points: hours.map((hour) => ({
                label: hour.from.slice(11, 16),
                value: hour.lookups,
                text: `${formatCount(hour.lookups)} texts, hit rate ${formatPercent(hour.hitRate)}${mark(hour)}`,
            })),
        },
        tables: [
            tableOf("Figures by hour", hours, {
                "Hour from": (hour) => `${formatMoment(hour.from)}${mark(hour)}`,
                Texts: ({ lookups }) => formatCount(lookups),
                "Hit rate": ({ lookups, hitRate }) =>
                    lookups === 0 ? "no texts" : formatPercent(hitRate),
                Saved: ({ dollarsSaved }) => formatDollars(dollarsSaved),
                p95: ({ lookups, p95 }) => (lookups === 0 ? "no texts" : formatMilliseconds(p95)),
            }),
        ],
    };
}

function latencySection({ latency }: Report): Section {
    const row = (name: string, { answers, p50, p95, p99 }: Report["latency"]["all"]) => [
        name,
        formatCount(answers),
        ...[p50, p95, p99].map((one) => (answers === 0 ? "no answers" : formatMilliseconds(one))),
    ];
    return {
        title: "Response time",
        text: [
            "Of successful requests, interpolated in the buckets of the histogram. A request with several texts counts for its slowest one.",
        ],
        tables: [
            {
                caption: "Response time by tier",
                columns: ["Tier", "Answers", "p50", "p95", "p99"],
                rows: [
                    row("All", latency.all),
                    ...CACHE_STATUSES.flatMap((tier) => {
                        const quantiles = latency.byTier[tier];
                        return quantiles === undefined ? [] : [row(describeTier(tier), quantiles)];
                    }),
                ],
            },
        ],
    };
}

function upstreamSection({ upstream, errors }: Report): Section {
    return {
        title: "Upstream and errors",
        tables: [
            {
                caption: "Counts in this period",
                columns: ["Event", "Count"],
                rows: [
                    ["Upstream calls", formatCount(upstream.calls)],
                    ["Texts in these calls", formatCount(upstream.inputs)],
                    ["Tokens billed", formatCount(upstream.tokensBilled)],
                    ["Tokens saved", formatCount(upstream.tokensSaved)],
                    ["Failed upstream attempts", formatCount(upstream.failedAttempts)],
                    ["Rejected: upstream queue full", formatCount(upstream.overloaded)],
                    ["Rejected: limit of a tenant", formatCount(errors.rejectedByLimits)],
                    ["Server errors (5xx)", formatCount(errors.serverErrors)],
                    ["Failed operations of Redis", formatCount(errors.redisErrors)],
                    ["Entries not written to Redis", formatCount(errors.redisWritesDropped)],
                    ["Corrupt entries in Redis", formatCount(errors.redisEntriesCorrupt)],
                ],
            },
        ],
    };
}

function platformSection({ scaling, releases }: Report): Section | undefined {
    if (scaling.length === 0) return undefined;
    return {
        title: "Versions and pods",
        tables: [
            tableOf("Versions that answered requests", releases, {
                Version: ({ version }) => version,
                Colour: ({ colour }) => colour,
                Requests: ({ requests }) => formatCount(requests),
                "First seen": ({ firstSeen }) => formatMoment(firstSeen),
                "Last seen": ({ lastSeen }) => formatMoment(lastSeen),
            }),
            tableOf("Pods", scaling, {
                Colour: ({ colour }) => colour,
                "Fewest to most": ({ least, most }) => `${least} to ${most}`,
                Mean: ({ mean }) => mean.toFixed(1),
                "Added / removed": ({ added, removed }) => `${added} / ${removed}`,
                Restarts: ({ restarts }) => formatCount(restarts),
            }),
        ],
    };
}

function redisSection({ redis }: Report): Section | undefined {
    if (redis === null) return undefined;
    return {
        title: "Redis",
        tables: [
            tableOf("Memory and evictions", redis, {
                Server: ({ name }) => name,
                Mean: ({ meanUsedBytes }) => formatBytes(meanUsedBytes),
                Highest: ({ maxUsedBytes }) => formatBytes(maxUsedBytes),
                Limit: ({ limitBytes }) => (limitBytes === 0 ? "none" : formatBytes(limitBytes)),
                "Evicted keys": ({ evictedKeys }) => formatCount(evictedKeys),
            }),
        ],
    };
}

function hotKeysSection({ hotKeys }: Report): Section | undefined {
    if (hotKeys === null || hotKeys.length === 0) return undefined;
    return {
        title: "Hot keys",
        text: ["Of one pod, in the minutes before the analysis. A key is a hash of its text."],
        tables: [
            tableOf("Most requested keys", hotKeys, {
                Key: ({ key }) => key,
                Tenant: ({ tenant }) => tenant,
                Requests: ({ requests }) => formatCount(requests),
            }),
        ],
    };
}

function notMeasuredSection({ notMeasured }: Report): Section | undefined {
    if (notMeasured.length === 0) return undefined;
    return {
        title: "Not measured",
        text: ["These figures are unknown, not zero."],
        list: notMeasured.map(({ figure, reason }) => `${figure}: ${reason}.`),
    };
}
