import { JOBS, METRICS, RESPONSE_TIME_BUCKETS, SERIES } from "@property-search/contract";
import type { Row } from "../dashboard.ts";
import { percentToRatio } from "../../alerts/recording.ts";
import type { DashboardsOptions } from "../options.ts";
import { lowIsGood, highIsGood } from "../palette.ts";
import { graphPanel } from "../panels.ts";
import { percentileQueries, quantile, query, rate } from "../queries.ts";
import { UNITS } from "../units.ts";

export function responsesRow({ thresholds }: DashboardsOptions): Row {
    const { hitRateWarningPercent, hitRateCriticalPercent, latencySeconds, jobs } = thresholds;
    const withStatus = (firstDigit: number) => `${METRICS.requests}{code=~"${firstDigit}.."}`;
    return {
        id: 100,
        title: "Responses",
        panels: [
            graphPanel({
                id: 10,
                title: "Response time",
                description: "Percentiles of all requests that did not fail, over five minutes.",
                unit: UNITS.seconds,
                width: 8,
                steps: lowIsGood(latencySeconds),
                queries: percentileQueries({
                    p50: SERIES.p50.service,
                    p95: SERIES.p95.service,
                    p99: SERIES.p99.service,
                }),
            }),
            graphPanel({
                id: 11,
                title: "p95 by result",
                description:
                    "A request with several results counts as the slowest one. Slow misses should not affect hits; " +
                    "hit_l2 reflects Redis, miss reflects the upstream.",
                unit: UNITS.seconds,
                width: 8,
                queries: [query(quantile(0.95, METRICS.responseTime, ["result"]), "{{result}}")],
            }),
            graphPanel({
                id: 12,
                title: "Lookups by result",
                description:
                    "Items per second. hit_l1: local cache of the pod; hit_l2: Redis; semantic: predicted from " +
                    "similar texts; coalesced: shared an upstream call in flight; stale: expired, served while the upstream fails; miss: upstream.",
                unit: UNITS.itemsPerSecond,
                width: 8,
                stacked: true,
                queries: [query(`sum by (result) (${rate(METRICS.lookups)})`, "{{result}}")],
            }),
            graphPanel({
                id: 13,
                title: "Hit rate",
                description:
                    "Ratio of items and of tokens. The token ratio determines the savings: long texts weigh more.",
                unit: UNITS.ratio,
                width: 8,
                max: 1,
                steps: highIsGood(
                    percentToRatio(hitRateWarningPercent),
                    percentToRatio(hitRateCriticalPercent),
                ),
                queries: [
                    query(SERIES.hitRatio.service, "items"),
                    query(SERIES.tokenHitRatio.service, "tokens"),
                ],
            }),
            graphPanel({
                id: 14,
                title: "Requests by status",
                description: "4xx: invalid or rejected requests. 5xx: failures of the service.",
                unit: UNITS.requestsPerSecond,
                width: 8,
                queries: [2, 4, 5].map((firstDigit) =>
                    query(`sum(${rate(withStatus(firstDigit))})`, `${firstDigit}xx`),
                ),
            }),
            graphPanel({
                id: 15,
                title: "Rejected by limits",
                description: "Requests over a limit of their tenant, by limit.",
                unit: UNITS.requestsPerSecond,
                width: 8,
                queries: [query(`sum by (reason) (${rate(METRICS.rejected)})`, "{{reason}}")],
            }),
            ...objectivePanels(thresholds.latencyObjectiveSeconds),
            ...(jobs.includes(JOBS.gateway) ? [gatewayPanel()] : []),
        ],
    };
}

/** Apdex: satisfied within the objective, tolerating within the first bucket bound of at least four times it. */
function objectivePanels(satisfied: number) {
    const tolerated =
        RESPONSE_TIME_BUCKETS.find((bound) => bound >= 4 * satisfied) ?? Number.POSITIVE_INFINITY;
    const within = (bound: number) =>
        `sum(${rate(`${METRICS.responseTime}_bucket{result!="error",le=~"${boundPattern(bound)}"}`)})`;
    const successful = `${METRICS.responseTime}_count{result!="error"}`;
    const seconds = `${METRICS.responseTime}_sum{result!="error"}`;
    const failed = `${METRICS.requests}{code=~"5.."}`;
    return [
        graphPanel({
            id: 16,
            title: "Apdex",
            description:
                `Ratio of requests within ${satisfied} s, plus half of those within ${tolerated} s. ` +
                "Requests that end in a 5xx count as frustrated.",
            unit: UNITS.ratio,
            width: 8,
            max: 1,
            queries: [
                query(
                    `(${within(satisfied)} + ${within(tolerated)}) / 2` +
                        ` / (sum(${rate(successful)}) + sum(${rate(failed)}))`,
                    "apdex",
                ),
            ],
        }),
        graphPanel({
            id: 17,
            title: "Mean response time",
            description: "Mean of all requests that did not fail.",
            unit: UNITS.seconds,
            width: 8,
            queries: [query(`sum(${rate(seconds)}) / sum(${rate(successful)})`, "mean")],
        }),
        graphPanel({
            id: 18,
            title: "Error budgets",
            description:
                "Remaining error and latency budgets of the last seven days. Below 0 an objective is missed.",
            unit: UNITS.ratio,
            width: 8,
            max: 1,
            min: null,
            steps: highIsGood(0),
            queries: [
                query(SERIES.availabilityBudget, "availability"),
                query(SERIES.latencyBudget, "latency"),
            ],
        }),
    ];
}

/** Includes requests that never reach a pod, which the service cannot count. */
function gatewayPanel() {
    const requests = (more: string) =>
        `sum(${rate(`traefik_entrypoint_requests_total{job="${JOBS.gateway}"${more}}`)})`;
    return graphPanel({
        id: 19,
        title: "Gateway",
        description:
            "Requests at the Gateway, and those that ended in a 5xx, including those without a reachable pod.",
        unit: UNITS.requestsPerSecond,
        width: 24,
        queries: [
            query(requests(""), "all"),
            query(`${requests(',code=~"5.."')} or vector(0)`, "5xx"),
        ],
    });
}

/** Regular expression for a bucket bound; Prometheus 3 writes the bound 1 as 1.0. */
function boundPattern(bound: number): string {
    if (bound === Number.POSITIVE_INFINITY) return "[+]Inf";
    return Number.isInteger(bound) ? `${bound}|${bound}.0` : `${bound}`;
}
