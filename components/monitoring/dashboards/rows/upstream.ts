import { METRICS } from "@property-search/contract";
import type { Row } from "../dashboard.ts";
import { percentToRatio } from "../../alerts/recording.ts";
import type { DashboardsOptions } from "../options.ts";
import { lowIsGood } from "../palette.ts";
import { graphPanel } from "../panels.ts";
import { quantile, query, rate } from "../queries.ts";
import { UNITS } from "../units.ts";

export function upstreamRow({ thresholds }: DashboardsOptions): Row {
    const attempts = METRICS.upstreamAttempts;
    const perCall = (counter: string) =>
        `sum(${rate(counter)}) / sum(${rate(METRICS.upstreamCalls)})`;
    return {
        id: 101,
        title: "Upstream",
        panels: [
            graphPanel({
                id: 20,
                title: "Attempts by outcome",
                description:
                    "Attempts per second at all endpoints, including retries and fallbacks.",
                unit: UNITS.operationsPerSecond,
                width: 6,
                stacked: true,
                queries: [query(`sum by (outcome) (${rate(attempts)})`, "{{outcome}}")],
            }),
            graphPanel({
                id: 21,
                title: "Failed attempts",
                description: "Ratio of failed attempts at each endpoint.",
                unit: UNITS.ratio,
                width: 6,
                steps: lowIsGood(percentToRatio(thresholds.upstreamErrorPercent)),
                queries: [
                    query(
                        `sum by (endpoint) (${rate(`${attempts}{outcome!~"ok|rejected_input"}`)})` +
                            ` / sum by (endpoint) (${rate(attempts)})`,
                        "{{endpoint}}",
                    ),
                ],
            }),
            graphPanel({
                id: 22,
                title: "Attempt duration",
                description: "Time until an endpoint responds or fails.",
                unit: UNITS.seconds,
                width: 6,
                queries: [0.5, 0.95].map((fraction) =>
                    query(
                        quantile(fraction, METRICS.upstreamAttemptTime, ["endpoint"]),
                        `{{endpoint}} p${fraction * 100}`,
                    ),
                ),
            }),
            graphPanel({
                id: 23,
                title: "Concurrency and queue",
                description:
                    "Calls in flight, their limit, and queued inputs. A falling limit means a slower upstream; " +
                    "a persistent queue means too few pods.",
                unit: UNITS.count,
                width: 6,
                queries: [
                    query(`sum(${METRICS.upstreamInFlight})`, "in flight"),
                    query(`sum(${METRICS.upstreamLimit})`, "limit"),
                    query(`sum(${METRICS.upstreamWaiting})`, "queued inputs"),
                ],
            }),
            graphPanel({
                id: 24,
                title: "Call size",
                description: "Inputs per upstream call, and requests that share a call.",
                unit: UNITS.count,
                width: 12,
                queries: [
                    query(perCall(METRICS.upstreamInputs), "inputs"),
                    query(perCall(METRICS.upstreamBatchedRequests), "requests"),
                ],
            }),
            graphPanel({
                id: 25,
                title: "Rejected for overload",
                description: "Requests rejected because the upstream queue is full.",
                unit: UNITS.requestsPerSecond,
                width: 12,
                queries: [query(`sum(${rate(METRICS.upstreamOverloaded)})`, "rejected")],
            }),
        ],
    };
}
