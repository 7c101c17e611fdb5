import { METRICS, SERIES } from "@property-search/contract";
import { dashboard, type Row } from "./dashboard.ts";
import { shareOf } from "../alerts/recording.ts";
import { withColour } from "../alerts/subjects.ts";
import type { DashboardsOptions } from "./options.ts";
import { goodBelow, goodFrom } from "./palette.ts";
import { graph, stat, table, type GraphOptions } from "./panels.ts";
import { ofEachColour, OF_COLOURS, OF_SERVICE, quantile, query, rate, SHOWN } from "./queries.ts";
import { UNITS } from "./units.ts";
import { WEIGHTS, whoServes } from "./whoServes.ts";

/** For whoever switches: both colours over the same minutes. */
export function releaseDashboard(options: DashboardsOptions): object {
    return dashboard({
        uid: "property-search-release",
        title: "Release",
        description:
            "Both colours side by side: what runs where, who serves, and who does it better.",
        from: "now-1h",
        rows: [{ panels: glance() }, sideBySide(options), workload()],
    });
}

function glance() {
    return [
        whoServes(6),
        stat({
            id: 2,
            title: "Versions",
            description: "What each colour runs; two lines of one colour are a rollout under way.",
            unit: UNITS.count,
            width: 6,
            names: true,
            queries: [
                query(
                    `count by (colour, version) (${METRICS.buildInfo})`,
                    "{{colour}} {{version}}",
                ),
            ],
        }),
        stat({
            id: 3,
            title: "Ready pods",
            description: "Pods that may get traffic.",
            unit: UNITS.count,
            width: 6,
            queries: [query(ready(), "{{colour}}")],
        }),
        stat({
            id: 4,
            title: "Restarts",
            description: "Containers that ended and were started again in the shown time.",
            unit: UNITS.count,
            width: 6,
            decimals: 0,
            queries: [query(restarts(SHOWN), "{{colour}}")],
        }),
        graph({
            id: 5,
            title: "Weights",
            description: "The share of the traffic that the route gives each colour, over time.",
            unit: UNITS.percent,
            width: 12,
            stacked: true,
            stepped: true,
            max: 100,
            queries: [WEIGHTS],
        }),
        graph({
            id: 6,
            title: "Shares measured",
            description:
                "The share of the requests that each colour really got, previews included. It follows the weights " +
                "within the minutes of its rate.",
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

function sideBySide({ thresholds }: DashboardsOptions): Row {
    const { hitRatePercent, errorPercent, p95Seconds } = thresholds;
    const compared = (options: Omit<GraphOptions, "width" | "queries">, expr: string) =>
        graph({ ...options, width: 8, queries: [query(expr, "{{colour}}")] });
    return {
        id: 100,
        title: "Side by side",
        panels: [
            compared(
                {
                    id: 10,
                    title: "Requests",
                    description: "Requests a second of each colour.",
                    unit: UNITS.requestsPerSecond,
                },
                SERIES.requests.colour,
            ),
            compared(
                {
                    id: 11,
                    title: "Errors",
                    description: "Share of each colour's requests that end in a 5xx.",
                    unit: UNITS.ratio,
                    steps: goodBelow(shareOf(errorPercent)),
                },
                SERIES.errorRatio.colour,
            ),
            compared(
                {
                    id: 12,
                    title: "p95",
                    description: "95 of 100 of each colour's requests took no longer.",
                    unit: UNITS.seconds,
                    steps: goodBelow(p95Seconds),
                },
                SERIES.p95.colour,
            ),
            compared(
                {
                    id: 13,
                    title: "Hit rate",
                    description:
                        "A colour that has just begun has an empty memory: it hits in Redis and is slower for a while.",
                    unit: UNITS.ratio,
                    max: 1,
                    steps: goodFrom(
                        shareOf(hitRatePercent.warning),
                        shareOf(hitRatePercent.critical),
                    ),
                },
                SERIES.hitRatio.colour,
            ),
            compared(
                {
                    id: 14,
                    title: "p95 of hits",
                    description:
                        "Of requests that caches alone answered: the fair comparison of two versions, since it does " +
                        "not depend on how many misses each one got.",
                    unit: UNITS.seconds,
                },
                SERIES.cachedP95.colour,
            ),
            compared(
                {
                    id: 15,
                    title: "p95 of misses",
                    description: "Of requests that had to ask the upstream.",
                    unit: UNITS.seconds,
                },
                quantile(0.95, METRICS.responseTime, ["colour"], '{result="miss"}'),
            ),
            compared(
                {
                    id: 16,
                    title: "p99",
                    description: "99 of 100 of each colour's requests took no longer.",
                    unit: UNITS.seconds,
                },
                SERIES.p99.colour,
            ),
            compared(
                {
                    id: 17,
                    title: "Misses",
                    description: "Items a second that each colour asks the upstream for.",
                    unit: UNITS.itemsPerSecond,
                },
                SERIES.misses.colour,
            ),
            compared(
                {
                    id: 18,
                    title: "Failed attempts upstream",
                    description: "Tries a second at the upstream that failed.",
                    unit: UNITS.operationsPerSecond,
                },
                `sum by (colour) (${rate(`${METRICS.upstreamAttempts}{outcome!~"ok|refused_input"}`)})`,
            ),
        ],
    };
}

function workload(): Row {
    return {
        id: 101,
        title: "What runs",
        panels: [
            table({
                id: 20,
                title: "Builds",
                description:
                    "Version, model and revision of each pod that answers. Both colours share Redis; another model " +
                    "or revision has keys of its own.",
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
            graph({
                id: 21,
                title: "Pods by version",
                description: "A rollout is one version giving way to another.",
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
            graph({
                id: 22,
                title: "Ready pods",
                description: "Pods that may get traffic, beside those that there should be.",
                unit: UNITS.count,
                width: 6,
                stepped: true,
                queries: [
                    query(ready(), "{{colour}} ready"),
                    query(
                        ofEachColour(`kube_deployment_spec_replicas${OF_COLOURS}`),
                        "{{colour}} wanted",
                    ),
                ],
            }),
            graph({
                id: 23,
                title: "Restarts",
                description: "Containers that ended and were started again, within each step.",
                unit: UNITS.count,
                width: 6,
                stepped: true,
                queries: [query(restarts("$__rate_interval"), "{{colour}}")],
            }),
            graph({
                id: 24,
                title: "Event loop lag",
                description: "p99 of each colour's worst pod.",
                unit: UNITS.seconds,
                width: 6,
                queries: [
                    query(
                        `max by (colour) (nodejs_eventloop_lag_p99_seconds${OF_SERVICE})`,
                        "{{colour}}",
                    ),
                ],
            }),
            graph({
                id: 25,
                title: "Entries on trial refused",
                description:
                    "Entries a second that each colour found in Redis and did not serve: the other colour wrote them " +
                    "on trial, or nobody has said yet what may be served. Each is a miss.",
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

function ready(): string {
    return ofEachColour(`kube_deployment_status_replicas_ready${OF_COLOURS}`);
}

function restarts(window: string): string {
    const containers = `kube_pod_container_status_restarts_total${OF_COLOURS}`;
    return withColour(`sum by (namespace) (increase(${containers}[${window}]))`);
}
