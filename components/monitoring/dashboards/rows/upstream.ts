import { METRICS } from "@property-search/contract";
import type { Row } from "../dashboard.ts";
import { shareOf } from "../../alerts/recording.ts";
import type { DashboardsOptions } from "../options.ts";
import { goodBelow } from "../palette.ts";
import { graph } from "../panels.ts";
import { quantile, query, rate } from "../queries.ts";
import { UNITS } from "../units.ts";

export function upstream({ thresholds }: DashboardsOptions): Row {
    const attempts = METRICS.upstreamAttempts;
    const perCall = (counted: string) =>
        `sum(${rate(counted)}) / sum(${rate(METRICS.upstreamCalls)})`;
    return {
        id: 101,
        title: "Upstream",
        panels: [
            graph({
                id: 20,
                title: "Attempts by outcome",
                description: "Every try at an endpoint; retries and fallbacks count as their own.",
                unit: UNITS.operationsPerSecond,
                width: 6,
                stacked: true,
                queries: [query(`sum by (outcome) (${rate(attempts)})`, "{{outcome}}")],
            }),
            graph({
                id: 21,
                title: "Failed attempts",
                description: "Share of the tries at each endpoint that failed.",
                unit: UNITS.ratio,
                width: 6,
                steps: goodBelow(shareOf(thresholds.upstreamErrorPercent)),
                queries: [
                    query(
                        `sum by (endpoint) (${rate(`${attempts}{outcome!~"ok|refused_input"}`)})` +
                            ` / sum by (endpoint) (${rate(attempts)})`,
                        "{{endpoint}}",
                    ),
                ],
            }),
            graph({
                id: 22,
                title: "Time of an attempt",
                description: "Seconds until an endpoint answered or failed.",
                unit: UNITS.seconds,
                width: 6,
                queries: [0.5, 0.95].map((at) =>
                    query(
                        quantile(at, METRICS.upstreamAttemptTime, ["endpoint"]),
                        `{{endpoint}} p${at * 100}`,
                    ),
                ),
            }),
            graph({
                id: 23,
                title: "Calls and the queue",
                description:
                    "Calls under way, how many there may be, and inputs that wait for one. A limit that sinks " +
                    "says that the upstream gets slower; a queue that stays says that there are too few pods.",
                unit: UNITS.count,
                width: 6,
                queries: [
                    query(`sum(${METRICS.upstreamInFlight})`, "under way"),
                    query(`sum(${METRICS.upstreamLimit})`, "limit"),
                    query(`sum(${METRICS.upstreamWaiting})`, "inputs that wait"),
                ],
            }),
            graph({
                id: 24,
                title: "What a call carries",
                description: "Inputs of a call, and requests that were joined in it.",
                unit: UNITS.count,
                width: 12,
                queries: [
                    query(perCall(METRICS.upstreamInputs), "inputs"),
                    query(perCall(METRICS.upstreamBatchedRequests), "requests"),
                ],
            }),
            graph({
                id: 25,
                title: "Refused for overload",
                description: "Requests that would have waited in vain for the upstream.",
                unit: UNITS.requestsPerSecond,
                width: 12,
                queries: [query(`sum(${rate(METRICS.upstreamOverloaded)})`, "refused")],
            }),
        ],
    };
}
