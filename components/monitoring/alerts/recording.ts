import {
    objectiveErrorRatio,
    JOBS,
    METRICS,
    OBJECTIVE_WINDOWS,
    SERIES,
    type Objective,
    type ObjectiveWindow,
} from "@property-search/contract";
import { record, type RecordingRule, type RuleFile } from "./rules.ts";
import type { AlertThresholds } from "./thresholds.ts";

/** The least span that a rate may have is four scrapes; five minutes calm it and forget soon enough. */
const WINDOW = "5m";
const MONTH_SECONDS = 30 * 24 * 3600;
const ANSWERED = '{result!="error"}';

/** Every figure that more than one reader needs, taken from counters by rate, so that it recovers. */
export function recordingRules(thresholds: AlertThresholds): RuleFile {
    return {
        groups: [
            { name: "embedding.traffic", rules: traffic() },
            { name: "embedding.latency", rules: latency(thresholds.objectives.latencySeconds) },
            { name: "embedding.money", rules: money(thresholds) },
            { name: "embedding.objectives", rules: shares(["5m", "30m", "1h"]) },
            {
                // Hours move slowly, and each evaluation reads all of them.
                name: "embedding.objectives.long",
                interval: "1m",
                rules: [...shares(["2h", "6h", "1d", "3d", "7d"]), ...budgets(thresholds)],
            },
        ],
    };
}

function traffic(): RecordingRule[] {
    const { lookups, requests, tokensSaved, tokensBilled } = METRICS;
    const asked = `${tokensBilled}{purpose="request"}`;
    return [
        ...both(SERIES.lookups, (by) => rated(by, `${lookups}{result!="error"}`)),
        ...both(SERIES.hits, (by) => rated(by, `${lookups}{result!~"miss|error"}`)),
        ...both(SERIES.misses, (by) => rated(by, `${lookups}{result="miss"}`)),
        ...ratio(SERIES.hitRatio, SERIES.hits, SERIES.lookups),
        ...both(
            SERIES.tokenHitRatio,
            (by) =>
                `${rated(by, tokensSaved)} / (${rated(by, tokensSaved)} + ${rated(by, asked)} > 0)`,
        ),
        record(
            SERIES.podMisses,
            `sum by (colour, namespace, pod) (rate(${lookups}{result="miss"}[${WINDOW}]))`,
        ),
        ...both(SERIES.requests, (by) => rated(by, requests)),
        ...both(SERIES.errors, (by) => rated(by, `${requests}{code=~"5.."}`)),
        ...ratio(SERIES.errorRatio, SERIES.errors, SERIES.requests),
        ...both(SERIES.podsUp, (by) => `sum${by} (up{job="${JOBS.service}"})`),
    ];
}

function latency(limitSeconds: number): RecordingRule[] {
    const { responseTime } = METRICS;
    const buckets = SERIES.responseBuckets;
    const quantile = (share: number, of: { readonly colour: string; readonly service: string }) => [
        record(of.colour, `histogram_quantile(${share}, ${buckets.colour})`),
        record(of.service, `histogram_quantile(${share}, ${buckets.service})`),
    ];
    const cached = `rate(${responseTime}_bucket{result=~"hit_l1|hit_l2"}[${WINDOW}])`;
    return [
        record(
            buckets.colour,
            `sum by (colour, le) (rate(${responseTime}_bucket${ANSWERED}[${WINDOW}]))`,
        ),
        record(buckets.service, `sum by (le) (rate(${responseTime}_bucket${ANSWERED}[${WINDOW}]))`),
        ...quantile(0.5, SERIES.p50),
        ...quantile(0.95, SERIES.p95),
        ...quantile(0.99, SERIES.p99),
        record(
            SERIES.cachedP95.colour,
            `histogram_quantile(0.95, sum by (colour, le) (${cached}))`,
        ),
        record(SERIES.cachedP95.service, `histogram_quantile(0.95, sum by (le) (${cached}))`),
        record(SERIES.successfulRequests, rated("", `${responseTime}_count${ANSWERED}`)),
        record(
            SERIES.slowRequests,
            `${SERIES.successfulRequests} - ${rated("", `${responseTime}_bucket{result!="error",${edge(limitSeconds)}}`)}`,
        ),
    ];
}

function money({ savings }: AlertThresholds): RecordingRule[] {
    const { costSaved, costBilled, overheadRate } = METRICS;
    const asked = rated("", `${costBilled}{purpose="request"}`);
    return [
        record(SERIES.saved, rated("", costSaved)),
        record(SERIES.billed, rated("", costBilled)),
        record(
            SERIES.netSaved,
            `${SERIES.saved} - ${rated("", `${costBilled}{purpose!="request"}`)}
             - (sum(${overheadRate}{kind="pod"}) + max(${overheadRate}{kind="storage"})) / 3600`,
        ),
        record(SERIES.costSavings, `${SERIES.saved} / (${SERIES.saved} + ${asked} > 0)`),
        ...(
            [
                [SERIES.savedPerMonth, SERIES.saved],
                [SERIES.netSavedPerMonth, SERIES.netSaved],
            ] as const
        ).map(([month, perSecond]) =>
            record(
                month,
                `avg_over_time(${perSecond}[${windowOf(savings.windowHours)}]) * ${MONTH_SECONDS}`,
            ),
        ),
    ];
}

/** Means of five-minute rates: a week is read from one series, whatever pods came and went in it. */
function shares(windows: readonly ObjectiveWindow[]): RecordingRule[] {
    const share = (objective: Objective, bad: string, all: string) =>
        windows.map((window) =>
            record(
                objectiveErrorRatio(objective, window),
                window === WINDOW
                    ? `${bad} / (${all} > 0)`
                    : `avg_over_time(${bad}[${window}]) / (avg_over_time(${all}[${window}]) > 0)`,
            ),
        );
    return [
        ...share("availability", SERIES.errors.service, SERIES.requests.service),
        ...share("latency", SERIES.slowRequests, SERIES.successfulRequests),
    ];
}

function budgets({ objectives }: AlertThresholds): RecordingRule[] {
    const longest = OBJECTIVE_WINDOWS[OBJECTIVE_WINDOWS.length - 1] ?? "7d";
    const left = (objective: Objective, percent: number) =>
        `1 - ${objectiveErrorRatio(objective, longest)} / ${shareOf(100 - percent)}`;
    return [
        record(SERIES.availabilityBudget, left("availability", objectives.availabilityPercent)),
        record(SERIES.latencyBudget, left("latency", objectives.latencyPercent)),
    ];
}

/** @returns a share 0–1 of a figure in percent, without the noise of binary fractions. */
export function shareOf(percent: number): number {
    return Number((percent / 100).toPrecision(10));
}

/** @returns a duration of Prometheus. */
export function windowOf(hours: number): string {
    const minutes = Math.round(hours * 60);
    return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}

function rated(by: string, selector: string): string {
    return `sum${by} (rate(${selector}[${WINDOW}]))`;
}

/** Prometheus 3 writes an edge of 1 as 1.0. */
function edge(seconds: number): string {
    return Number.isInteger(seconds) ? `le=~"${seconds}|${seconds}.0"` : `le="${seconds}"`;
}

interface Pair {
    readonly colour: string;
    readonly service: string;
}

function both(names: Pair, expr: (by: string) => string): RecordingRule[] {
    return [record(names.colour, expr(" by (colour)")), record(names.service, expr(""))];
}

/** Absent, and not 0/0, while there is nothing to divide by. */
function ratio(names: Pair, part: Pair, whole: Pair): RecordingRule[] {
    return [
        record(names.colour, `${part.colour} / (${whole.colour} > 0)`),
        record(names.service, `${part.service} / (${whole.service} > 0)`),
    ];
}
