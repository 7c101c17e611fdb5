import {
    objectiveErrorRatio,
    JOBS,
    METRICS,
    OBJECTIVE_WINDOWS,
    REQUEST_PURPOSES,
    SERIES,
    type Objective,
    type ObjectiveWindow,
} from "@property-search/contract";
import { record, type RecordingRule, type RuleFile } from "./rules.ts";
import type { AlertThresholds } from "./thresholds.ts";

/** A rate needs at least four scrapes; five minutes smooth it and still react soon enough. */
const WINDOW = "5m";
const MONTH_SECONDS = 30 * 24 * 3600;
const SUCCESSFUL = '{result!="error"}';
/** Matcher of upstream calls that would be paid without a cache, too. */
export const FOR_REQUESTS = `purpose=~"${REQUEST_PURPOSES.join("|")}"`;
const NOT_FOR_REQUESTS = `purpose!~"${REQUEST_PURPOSES.join("|")}"`;

/** Recorded series that several rules or dashboards read; all come from rates of counters. */
export function recordingRules(thresholds: AlertThresholds): RuleFile {
    return {
        groups: [
            { name: "embedding.traffic", rules: trafficRules() },
            {
                name: "embedding.latency",
                rules: latencyRules(thresholds.latencyObjectiveSeconds),
            },
            { name: "embedding.cost", rules: costRules(thresholds) },
            { name: "embedding.objectives", rules: errorRatioRules(["5m", "30m", "1h"]) },
            {
                // Long windows change slowly, and each evaluation reads all of their samples.
                name: "embedding.objectives.long",
                interval: "1m",
                rules: [
                    ...errorRatioRules(["2h", "6h", "1d", "3d", "7d"]),
                    ...budgetRules(thresholds),
                ],
            },
        ],
    };
}

function trafficRules(): RecordingRule[] {
    const { lookups, requests, tokensSaved, tokensBilled } = METRICS;
    const billedByRequests = `${tokensBilled}{${FOR_REQUESTS}}`;
    return [
        ...recordScoped(SERIES.lookups, (by) => sumRate(by, `${lookups}{result!="error"}`)),
        ...recordScoped(SERIES.hits, (by) => sumRate(by, `${lookups}{result!~"miss|error"}`)),
        ...recordScoped(SERIES.misses, (by) => sumRate(by, `${lookups}{result="miss"}`)),
        ...recordRatio(SERIES.hitRatio, SERIES.hits, SERIES.lookups),
        ...recordScoped(
            SERIES.tokenHitRatio,
            (by) =>
                `${sumRate(by, tokensSaved)} / (${sumRate(by, tokensSaved)} + ${sumRate(by, billedByRequests)} > 0)`,
        ),
        record(
            SERIES.podMisses,
            `sum by (colour, namespace, pod) (rate(${lookups}{result="miss"}[${WINDOW}]))`,
        ),
        ...recordScoped(SERIES.requests, (by) => sumRate(by, requests)),
        ...recordScoped(SERIES.errors, (by) => sumRate(by, `${requests}{code=~"5.."}`)),
        ...recordRatio(SERIES.errorRatio, SERIES.errors, SERIES.requests),
        ...recordScoped(SERIES.podsUp, (by) => `sum${by} (up{job="${JOBS.service}"})`),
    ];
}

function latencyRules(limitSeconds: number): RecordingRule[] {
    const { responseTime } = METRICS;
    const buckets = SERIES.responseBuckets;
    const quantile = (fraction: number, series: ScopedSeries) => [
        record(series.colour, `histogram_quantile(${fraction}, ${buckets.colour})`),
        record(series.service, `histogram_quantile(${fraction}, ${buckets.service})`),
    ];
    const cached = `rate(${responseTime}_bucket{result=~"hit_l1|hit_l2"}[${WINDOW}])`;
    return [
        record(
            buckets.colour,
            `sum by (colour, le) (rate(${responseTime}_bucket${SUCCESSFUL}[${WINDOW}]))`,
        ),
        record(
            buckets.service,
            `sum by (le) (rate(${responseTime}_bucket${SUCCESSFUL}[${WINDOW}]))`,
        ),
        ...quantile(0.5, SERIES.p50),
        ...quantile(0.95, SERIES.p95),
        ...quantile(0.99, SERIES.p99),
        record(
            SERIES.cachedP95.colour,
            `histogram_quantile(0.95, sum by (colour, le) (${cached}))`,
        ),
        record(SERIES.cachedP95.service, `histogram_quantile(0.95, sum by (le) (${cached}))`),
        record(SERIES.successfulRequests, sumRate("", `${responseTime}_count${SUCCESSFUL}`)),
        record(
            SERIES.slowRequests,
            `${SERIES.successfulRequests} - ${sumRate("", `${responseTime}_bucket{result!="error",${bucketMatcher(limitSeconds)}}`)}`,
        ),
    ];
}

function costRules({ savingsWindowHours }: AlertThresholds): RecordingRule[] {
    const { costSaved, costBilled, overheadRate } = METRICS;
    const billedByRequests = sumRate("", `${costBilled}{${FOR_REQUESTS}}`);
    return [
        record(SERIES.saved, sumRate("", costSaved)),
        record(SERIES.billed, sumRate("", costBilled)),
        record(
            SERIES.netSaved,
            `${SERIES.saved} - ${sumRate("", `${costBilled}{${NOT_FOR_REQUESTS}}`)}
             - (sum(${overheadRate}{kind="pod"}) + max(${overheadRate}{kind="storage"})) / 3600`,
        ),
        record(SERIES.costSavings, `${SERIES.saved} / (${SERIES.saved} + ${billedByRequests} > 0)`),
        ...(
            [
                [SERIES.savedPerMonth, SERIES.saved],
                [SERIES.netSavedPerMonth, SERIES.netSaved],
            ] as const
        ).map(([month, perSecond]) =>
            record(
                month,
                `avg_over_time(${perSecond}[${hoursToDuration(savingsWindowHours)}]) * ${MONTH_SECONDS}`,
            ),
        ),
    ];
}

/** Averages five-minute rates: a week is one series, independent of the pods that existed in it. */
function errorRatioRules(windows: readonly ObjectiveWindow[]): RecordingRule[] {
    const errorRatios = (objective: Objective, bad: string, all: string) =>
        windows.map((window) =>
            record(
                objectiveErrorRatio(objective, window),
                window === WINDOW
                    ? `${bad} / (${all} > 0)`
                    : `avg_over_time(${bad}[${window}]) / (avg_over_time(${all}[${window}]) > 0)`,
            ),
        );
    return [
        ...errorRatios("availability", SERIES.errors.service, SERIES.requests.service),
        ...errorRatios("latency", SERIES.slowRequests, SERIES.successfulRequests),
    ];
}

function budgetRules({
    availabilityObjectivePercent,
    latencyObjectivePercent,
}: AlertThresholds): RecordingRule[] {
    const longest = OBJECTIVE_WINDOWS[OBJECTIVE_WINDOWS.length - 1] ?? "7d";
    const remaining = (objective: Objective, percent: number) =>
        `1 - ${objectiveErrorRatio(objective, longest)} / ${percentToRatio(100 - percent)}`;
    return [
        record(SERIES.availabilityBudget, remaining("availability", availabilityObjectivePercent)),
        record(SERIES.latencyBudget, remaining("latency", latencyObjectivePercent)),
    ];
}

/** @returns the ratio (0–1) of a percentage, rounded so that binary fractions leave no noise digits. */
export function percentToRatio(percent: number): number {
    return Number((percent / 100).toPrecision(10));
}

/** @returns the hours as a Prometheus duration. */
export function hoursToDuration(hours: number): string {
    const minutes = Math.round(hours * 60);
    return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}

function sumRate(by: string, selector: string): string {
    return `sum${by} (rate(${selector}[${WINDOW}]))`;
}

/** Label matcher for a bucket; Prometheus 3 writes the bound 1 as 1.0. */
function bucketMatcher(seconds: number): string {
    return Number.isInteger(seconds) ? `le=~"${seconds}|${seconds}.0"` : `le="${seconds}"`;
}

/** Names of one figure: per colour, and of the whole service. */
interface ScopedSeries {
    readonly colour: string;
    readonly service: string;
}

function recordScoped(names: ScopedSeries, expr: (by: string) => string): RecordingRule[] {
    return [record(names.colour, expr(" by (colour)")), record(names.service, expr(""))];
}

/** Records no sample, rather than NaN, while the denominator is 0. */
function recordRatio(
    names: ScopedSeries,
    part: ScopedSeries,
    whole: ScopedSeries,
): RecordingRule[] {
    return [
        record(names.colour, `${part.colour} / (${whole.colour} > 0)`),
        record(names.service, `${part.service} / (${whole.service} > 0)`),
    ];
}
