import { METRICS, SERIES } from "@property-search/contract";
import { createDashboard, type Row } from "./dashboard.ts";
import { percentToRatio } from "../alerts/recording.ts";
import { withColour } from "../alerts/subjects.ts";
import type { DashboardsOptions } from "./options.ts";
import { lowIsGood, highIsGood } from "./palette.ts";
import { graphPanel, statPanel, tablePanel, type GraphOptions } from "./panels.ts";
import {
    byColour,
    COLOUR_SELECTOR,
    quantile,
    query,
    rate,
    SERVICE_SELECTOR,
    TIME_RANGE,
} from "./queries.ts";
import { trafficSplitPanel, WEIGHTS } from "./trafficSplit.ts";
import { UNITS } from "./units.ts";

/** For the operator of a release: both colours over the same time. */
export function releaseDashboard(options: DashboardsOptions): object {
    return createDashboard({
        uid: "property-search-release",
        title: "Release",
        description:
            "Both colours side by side: versions, traffic split, errors and response times.",
        from: "now-1h",
        rows: [{ panels: summaryPanels() }, comparisonRow(options), workloadRow()],
    });
}

function summaryPanels() {
    return [
        trafficSplitPanel(6),
        statPanel({
            id: 2,
            title: "Versions",
            description:
                "Version of each colour; two versions of one colour mean a rollout in progress.",
            unit: UNITS.count,
            width: 6,
            legendOnly: true,
            queries: [
                query(
                    `count by (colour, version) (${METRICS.buildInfo})`,
                    "{{colour}} {{version}}",
                ),
            ],
        }),
        statPanel({
            id: 3,
            title: "Ready pods",
            description: "Ready pods of each colour.",
            unit: UNITS.count,
            width: 6,
            queries: [query(readyPods(), "{{colour}}")],
        }),
        statPanel({
            id: 4,
            title: "Restarts",
            description: "Container restarts in the time range.",
            unit: UNITS.count,
            width: 6,
            decimals: 0,
            queries: [query(restarts(TIME_RANGE), "{{colour}}")],
        }),
        graphPanel({
            id: 5,
            title: "Weights",
            description:
                "Percentage of the traffic that the route sends to each colour, over time.",
            unit: UNITS.percent,
            width: 12,
            stacked: true,
            stepped: true,
            max: 100,
            queries: [WEIGHTS],
        }),
        graphPanel({
            id: 6,
            title: "Measured traffic split",
            description:
                "Ratio of the requests that each colour received, including previews. It follows the weights with " +
                "the delay of the rate.",
            unit: UNITS.ratio,
            width: 12,
            stacked: true,
            max: 1,
            queries: [
                query(
                    `sum by (colour) (${rate(METRICS.requests)}) / ignoring (colour) group_left sum(${rate(METRICS.requests)})`,
                    "{{colour}}",
                ),
            ],
        }),
    ];
}

function comparisonRow({ thresholds }: DashboardsOptions): Row {
    const { hitRateWarningPercent, hitRateCriticalPercent, errorPercent, latencySeconds } =
        thresholds;
    const comparison = (options: Omit<GraphOptions, "width" | "queries">, expr: string) =>
        graphPanel({ ...options, width: 8, queries: [query(expr, "{{colour}}")] });
    return {
        id: 100,
        title: "Side by side",
        panels: [
            comparison(
                {
                    id: 10,
                    title: "Requests",
                    description: "Requests per second of each colour.",
                    unit: UNITS.requestsPerSecond,
                },
                SERIES.requests.colour,
            ),
            comparison(
                {
                    id: 11,
                    title: "Errors",
                    description: "Ratio of each colour's requests that end in a 5xx.",
                    unit: UNITS.ratio,
                    steps: lowIsGood(percentToRatio(errorPercent)),
                },
                SERIES.errorRatio.colour,
            ),
            comparison(
                {
                    id: 12,
                    title: "p95",
                    description: "95th percentile of each colour's response time.",
                    unit: UNITS.seconds,
                    steps: lowIsGood(latencySeconds),
                },
                SERIES.p95.colour,
            ),
            comparison(
                {
                    id: 13,
                    title: "Hit rate",
                    description:
                        "A colour that has just started has an empty local cache: it reads from Redis and is slower at first.",
                    unit: UNITS.ratio,
                    max: 1,
                    steps: highIsGood(
                        percentToRatio(hitRateWarningPercent),
                        percentToRatio(hitRateCriticalPercent),
                    ),
                },
                SERIES.hitRatio.colour,
            ),
            comparison(
                {
                    id: 14,
                    title: "p95 of hits",
                    description:
                        "95th percentile of requests without misses: a fair comparison of two versions, since it does " +
                        "not depend on the number of misses of each.",
                    unit: UNITS.seconds,
                },
                SERIES.cachedP95.colour,
            ),
            comparison(
                {
                    id: 15,
                    title: "p95 of misses",
                    description: "95th percentile of requests with at least one miss.",
                    unit: UNITS.seconds,
                },
                quantile(0.95, METRICS.responseTime, ["colour"], '{result="miss"}'),
            ),
            comparison(
                {
                    id: 16,
                    title: "p99",
                    description: "99th percentile of each colour's response time.",
                    unit: UNITS.seconds,
                },
                SERIES.p99.colour,
            ),
            comparison(
                {
                    id: 17,
                    title: "Misses",
                    description: "Items per second that each colour requests from the upstream.",
                    unit: UNITS.itemsPerSecond,
                },
                SERIES.misses.colour,
            ),
            comparison(
                {
                    id: 18,
                    title: "Failed upstream attempts",
                    description: "Failed attempts at the upstream per second.",
                    unit: UNITS.operationsPerSecond,
                },
                `sum by (colour) (${rate(`${METRICS.upstreamAttempts}{outcome!~"ok|rejected_input"}`)})`,
            ),
        ],
    };
}

function workloadRow(): Row {
    return {
        id: 101,
        title: "Workload",
        panels: [
            tablePanel({
                id: 20,
                title: "Builds",
                description:
                    "Version, model and revision of the running pods. Both colours share Redis; each model and " +
                    "revision has its own keys.",
                unit: UNITS.count,
                width: 12,
                queries: [
                    query(
                        `count by (colour, version, provider, model, revision) (${METRICS.buildInfo})`,
                        "{{colour}}",
                    ),
                ],
                columns: [
                    { field: "colour", title: "Colour" },
                    { field: "version", title: "Version" },
                    { field: "provider", title: "Provider" },
                    { field: "model", title: "Model" },
                    { field: "revision", title: "Revision" },
                    { field: "Value", title: "Pods" },
                ],
                hidden: [],
            }),
            graphPanel({
                id: 21,
                title: "Pods by version",
                description:
                    "Running pods by version; a rollout replaces one version with another.",
                unit: UNITS.count,
                width: 12,
                stepped: true,
                queries: [
                    query(
                        `count by (colour, version) (${METRICS.buildInfo})`,
                        "{{colour}} {{version}}",
                    ),
                ],
            }),
            graphPanel({
                id: 22,
                title: "Ready pods",
                description: "Ready pods, compared with the desired replica count.",
                unit: UNITS.count,
                width: 6,
                stepped: true,
                queries: [
                    query(readyPods(), "{{colour}} ready"),
                    query(
                        byColour(`kube_deployment_spec_replicas${COLOUR_SELECTOR}`),
                        "{{colour}} desired replicas",
                    ),
                ],
            }),
            graphPanel({
                id: 23,
                title: "Restarts",
                description: "Container restarts within each step.",
                unit: UNITS.count,
                width: 6,
                stepped: true,
                queries: [query(restarts("$__rate_interval"), "{{colour}}")],
            }),
            graphPanel({
                id: 24,
                title: "Event loop lag",
                description:
                    "99th percentile of the event loop delay of each colour's slowest pod.",
                unit: UNITS.seconds,
                width: 6,
                queries: [
                    query(
                        `max by (colour) (nodejs_eventloop_lag_p99_seconds${SERVICE_SELECTOR})`,
                        "{{colour}}",
                    ),
                ],
            }),
            graphPanel({
                id: 25,
                title: "Quarantined entries",
                description:
                    "Entries per second that a colour read from Redis and did not serve, because the build that wrote " +
                    "them is in quarantine or its status is unknown. Each counts as a miss.",
                unit: UNITS.itemsPerSecond,
                width: 6,
                queries: [
                    query(
                        `sum by (colour, reason) (${rate(METRICS.quarantineSkipped)})`,
                        "{{colour}} {{reason}}",
                    ),
                ],
            }),
        ],
    };
}

function readyPods(): string {
    return byColour(`kube_deployment_status_replicas_ready${COLOUR_SELECTOR}`);
}

function restarts(window: string): string {
    const containers = `kube_pod_container_status_restarts_total${COLOUR_SELECTOR}`;
    return withColour(`sum by (namespace) (increase(${containers}[${window}]))`);
}
