import { JOBS, METRICS, RESPONSE_TIME_BUCKETS, SERIES } from "@property-search/contract";
import type { Row } from "../dashboard.ts";
import { shareOf } from "../../alerts/recording.ts";
import type { DashboardsOptions } from "../options.ts";
import { goodBelow, goodFrom } from "../palette.ts";
import { graph } from "../panels.ts";
import { percentiles, quantile, query, rate } from "../queries.ts";
import { UNITS } from "../units.ts";

export function answers({ thresholds }: DashboardsOptions): Row {
    const { hitRatePercent, p95Seconds, jobs } = thresholds;
    const codes = (classOf: number) => `${METRICS.requests}{code=~"${classOf}.."}`;
    return {
        id: 100,
        title: "Answers",
        panels: [
            graph({
                id: 10,
                title: "Latency",
                description:
                    "Seconds of requests of any result that did not fail, of five minutes.",
                unit: UNITS.seconds,
                width: 8,
                steps: goodBelow(p95Seconds),
                queries: percentiles({
                    p50: SERIES.p50.service,
                    p95: SERIES.p95.service,
                    p99: SERIES.p99.service,
                }),
            }),
            graph({
                id: 11,
                title: "p95 by result",
                description:
                    "A request of several results counts as its slowest. Hits should stay where they are when " +
                    "misses get slow; hit_l2 shows Redis, miss shows the upstream.",
                unit: UNITS.seconds,
                width: 8,
                queries: [query(quantile(0.95, METRICS.responseTime, ["result"]), "{{result}}")],
            }),
            graph({
                id: 12,
                title: "Lookups by result",
                description:
                    "Items a second. hit_l1: the pod's memory; hit_l2: Redis; coalesced: joined one that was " +
                    "under way; stale: past its time, while the upstream fails; miss: the upstream.",
                unit: UNITS.itemsPerSecond,
                width: 8,
                stacked: true,
                queries: [query(`sum by (result) (${rate(METRICS.lookups)})`, "{{result}}")],
            }),
            graph({
                id: 13,
                title: "Hit rate",
                description:
                    "Of items, and of tokens: the latter is what cuts the bill, and long texts decide it.",
                unit: UNITS.ratio,
                width: 8,
                max: 1,
                steps: goodFrom(shareOf(hitRatePercent.warning), shareOf(hitRatePercent.critical)),
                queries: [
                    query(SERIES.hitRatio.service, "items"),
                    query(SERIES.tokenHitRatio.service, "tokens"),
                ],
            }),
            graph({
                id: 14,
                title: "Requests by status",
                description: "4xx are requests that are wrong or refused, 5xx are our failures.",
                unit: UNITS.requestsPerSecond,
                width: 8,
                queries: [2, 4, 5].map((classOf) =>
                    query(`sum(${rate(codes(classOf))})`, `${classOf}xx`),
                ),
            }),
            graph({
                id: 15,
                title: "Refused by limits",
                description:
                    "Requests over what a tenant may ask for, by the limit that refused them.",
                unit: UNITS.requestsPerSecond,
                width: 8,
                queries: [query(`sum by (reason) (${rate(METRICS.rejected)})`, "{{reason}}")],
            }),
            ...satisfaction(thresholds.objectives.latencySeconds),
            ...(jobs.includes(JOBS.gateway) ? [atTheGateway()] : []),
        ],
    };
}

/** Satisfied up to the objective's time, half so up to the first edge at four times it (Apdex). */
function satisfaction(satisfied: number) {
    const tolerated =
        RESPONSE_TIME_BUCKETS.find((edge) => edge >= 4 * satisfied) ?? Number.POSITIVE_INFINITY;
    const within = (edge: number) =>
        `sum(${rate(`${METRICS.responseTime}_bucket{result!="error",le=~"${edges(edge)}"}`)})`;
    const answered = `${METRICS.responseTime}_count{result!="error"}`;
    const spent = `${METRICS.responseTime}_sum{result!="error"}`;
    const failed = `${METRICS.requests}{code=~"5.."}`;
    return [
        graph({
            id: 16,
            title: "Satisfaction",
            description:
                `Apdex: the share of requests within ${satisfied} s, and half of those within ${tolerated} s; ` +
                "those that end in a 5xx count as unsatisfied.",
            unit: UNITS.ratio,
            width: 8,
            max: 1,
            queries: [
                query(
                    `(${within(satisfied)} + ${within(tolerated)}) / 2` +
                        ` / (sum(${rate(answered)}) + sum(${rate(failed)}))`,
                    "apdex",
                ),
            ],
        }),
        graph({
            id: 17,
            title: "Mean latency",
            description: "Seconds of all requests that did not fail, over their number.",
            unit: UNITS.seconds,
            width: 8,
            queries: [query(`sum(${rate(spent)}) / sum(${rate(answered)})`, "mean")],
        }),
        graph({
            id: 18,
            title: "Error budgets",
            description:
                "What the last seven days left of the errors and slow answers that the objectives allow. " +
                "Below 0 an objective is missed.",
            unit: UNITS.ratio,
            width: 8,
            max: 1,
            min: null,
            steps: goodFrom(0),
            queries: [
                query(SERIES.availabilityBudget, "availability"),
                query(SERIES.latencyBudget, "latency"),
            ],
        }),
    ];
}

/** What clients get where no pod is asked at all; the service cannot count that. */
function atTheGateway() {
    const requests = (more: string) =>
        `sum(${rate(`traefik_entrypoint_requests_total{job="${JOBS.gateway}"${more}}`)})`;
    return graph({
        id: 19,
        title: "At the gateway",
        description:
            "Requests that came in, and those that ended in a 5xx: also where no pod of a colour was there to ask.",
        unit: UNITS.requestsPerSecond,
        width: 24,
        queries: [
            query(requests(""), "all"),
            query(`${requests(',code=~"5.."')} or vector(0)`, "5xx"),
        ],
    });
}

/** Prometheus 3 writes an edge of 1 as 1.0. */
function edges(edge: number): string {
    if (edge === Number.POSITIVE_INFINITY) return "[+]Inf";
    return Number.isInteger(edge) ? `${edge}|${edge}.0` : `${edge}`;
}
