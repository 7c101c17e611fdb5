import { METRICS, SERIES, objectiveErrorRatio, OBJECTIVE_WINDOWS } from "@property-search/contract";
import { expect, test } from "@jest/globals";

import { ruleFiles } from "../../components/monitoring/alerts/index.ts";
import { seriesNames } from "../support/promql.ts";
import { testRules } from "../support/monitoring/promtool.ts";
import { counter, gauge } from "../support/monitoring/samples.ts";

const MINUTES = 30;
const steady = (perSecond: number) => counter([[perSecond, MINUTES]]);
const level = (value: number) => gauge([[value, MINUTES]]);
const of = (metric: string, labels: string) => `${metric}{namespace="n",${labels}}`;

/** Blue has two pods, one of which is new at the tenth minute; green has one tenth of the traffic. */
const INPUT: Readonly<Record<string, string>> = {
    [of(METRICS.lookups, 'colour="blue",pod="a",result="hit_l1"')]: steady(4),
    [of(METRICS.lookups, 'colour="blue",pod="a",result="stale"')]: steady(1),
    [of(METRICS.lookups, 'colour="blue",pod="a",result="miss"')]: steady(2),
    [of(METRICS.lookups, 'colour="blue",pod="a",result="error"')]: steady(7),
    [of(METRICS.lookups, 'colour="blue",pod="b",result="hit_l2"')]: `_x40 ${steady(2)}`,
    [of(METRICS.lookups, 'colour="blue",pod="b",result="miss"')]: `_x40 ${steady(1)}`,
    [of(METRICS.lookups, 'colour="green",pod="c",result="hit_l1"')]: steady(0),
    [of(METRICS.lookups, 'colour="green",pod="c",result="miss"')]: steady(1),
    [of(METRICS.tokensSaved, 'colour="blue",tenant="t",result="hit_l1"')]: steady(90),
    [of(METRICS.tokensBilled, 'colour="blue",tenant="t",purpose="request"')]: steady(10),
    [of(METRICS.tokensBilled, 'colour="blue",tenant="t",purpose="refresh"')]: steady(50),
    [of(METRICS.requests, 'colour="blue",route="/embed",code="200"')]: steady(9),
    [of(METRICS.requests, 'colour="blue",route="/embed",code="429"')]: steady(0.5),
    [of(METRICS.requests, 'colour="blue",route="/embed",code="503"')]: steady(0.5),
    ...buckets("hit_l1", { 0.005: 5, 0.01: 10, 0.5: 10, 1: 10 }),
    ...buckets("miss", { 0.005: 0, 0.01: 0, 0.5: 6, 1: 10 }),
    ...buckets("error", { 0.005: 0, 0.01: 0, 0.5: 0, 1: 0 }, 100),
    [of(METRICS.costSaved, 'colour="blue",tenant="t",result="hit_l1"')]: steady(0.09),
    [of(METRICS.costBilled, 'colour="blue",tenant="t",purpose="request"')]: steady(0.01),
    [of(METRICS.costBilled, 'colour="blue",tenant="t",purpose="refresh"')]: steady(0.002),
    [of(METRICS.overheadRate, 'colour="blue",pod="a",kind="pod"')]: level(3.6),
    [of(METRICS.overheadRate, 'colour="blue",pod="b",kind="pod"')]: level(3.6),
    [of(METRICS.overheadRate, 'colour="blue",pod="a",kind="storage"')]: level(18),
    [of(METRICS.overheadRate, 'colour="blue",pod="b",kind="storage"')]: level(18),
    'up{job="embedding-service",colour="blue",pod="a"}': level(1),
    'up{job="embedding-service",colour="blue",pod="b"}': level(0),
    'up{job="embedding-service",colour="green",pod="c"}': level(1),
    'traefik_tls_certs_not_after{cn="one",serial="1",instance="a"}': level(3000),
    'traefik_tls_certs_not_after{cn="one",serial="2",instance="a"}': level(4000),
    'traefik_tls_certs_not_after{cn="one",serial="3",instance="b"}': level(5000),
    'certmanager_certificate_expiration_timestamp_seconds{name="two"}': level(6000),
};

function buckets(
    result: string,
    counts: Readonly<Record<number, number>>,
    all = 10,
): Record<string, string> {
    const labels = `colour="blue",route="/embed",result="${result}"`;
    return Object.fromEntries([
        ...Object.entries(counts).map(([le, perSecond]) => [
            of(`${METRICS.responseTime}_bucket`, `${labels},le="${le}"`),
            steady(perSecond),
        ]),
        [of(`${METRICS.responseTime}_bucket`, `${labels},le="+Inf"`), steady(all)],
        [of(`${METRICS.responseTime}_count`, labels), steady(all)],
    ]) as Record<string, string>;
}

const BLUE = '{colour="blue"}';
const MONTH = 30 * 24 * 3600;
const NET = 0.09 - 0.002 - (2 * 3.6 + 18) / 3600;

/** Figure by series and labels, at the end. */
const EXPECTED: readonly (readonly [series: string, labels: string, figure: number])[] = [
    [SERIES.lookups.colour, BLUE, 10],
    [SERIES.lookups.colour, '{colour="green"}', 1],
    [SERIES.lookups.service, "", 11],
    [SERIES.hits.colour, BLUE, 7],
    [SERIES.hits.colour, '{colour="green"}', 0],
    [SERIES.hits.service, "", 7],
    [SERIES.misses.colour, BLUE, 3],
    [SERIES.misses.service, "", 4],
    [SERIES.podMisses, '{colour="blue",namespace="n",pod="b"}', 1],
    [SERIES.hitRatio.colour, BLUE, 0.7],
    [SERIES.hitRatio.service, "", 7 / 11],
    [SERIES.tokenHitRatio.colour, BLUE, 0.9],
    [SERIES.tokenHitRatio.service, "", 0.9],
    [SERIES.requests.colour, BLUE, 10],
    [SERIES.requests.service, "", 10],
    [SERIES.errors.colour, BLUE, 0.5],
    [SERIES.errors.service, "", 0.5],
    [SERIES.errorRatio.colour, BLUE, 0.05],
    [SERIES.errorRatio.service, "", 0.05],
    [SERIES.responseBuckets.colour, '{colour="blue",le="0.5"}', 16],
    [SERIES.responseBuckets.service, '{le="0.5"}', 16],
    [SERIES.p50.colour, BLUE, 0.01],
    [SERIES.p50.service, "", 0.01],
    [SERIES.p95.colour, BLUE, 0.5 + 0.5 * (3 / 4)],
    [SERIES.p95.service, "", 0.5 + 0.5 * (3 / 4)],
    [SERIES.p99.colour, BLUE, 0.5 + 0.5 * (3.8 / 4)],
    [SERIES.p99.service, "", 0.5 + 0.5 * (3.8 / 4)],
    [SERIES.cachedP95.colour, BLUE, 0.005 + 0.005 * (4.5 / 5)],
    [SERIES.cachedP95.service, "", 0.005 + 0.005 * (4.5 / 5)],
    [SERIES.successfulRequests, "", 20],
    [SERIES.slowRequests, "", 4],
    [SERIES.saved, "", 0.09],
    [SERIES.billed, "", 0.012],
    [SERIES.netSaved, "", NET],
    [SERIES.costSavings, "", 0.9],
    [SERIES.podsUp.colour, BLUE, 1],
    [SERIES.podsUp.service, "", 2],
    [SERIES.certificateExpiry, '{certificate="one"}', 4000],
    [SERIES.certificateExpiry, '{certificate="two"}', 6000],
    ...OBJECTIVE_WINDOWS.flatMap((window) => [
        [objectiveErrorRatio("availability", window), "", 0.05] as const,
        [objectiveErrorRatio("latency", window), "", 0.2] as const,
    ]),
    [SERIES.availabilityBudget, "", 1 - 0.05 / 0.001],
    [SERIES.latencyBudget, "", 1 - 0.2 / 0.01],
];

/** Means from the beginning on, where a rate's window is not full yet: 4 % of half an hour. */
const ROUGH: readonly (readonly [series: string, figure: number])[] = [
    [SERIES.savedPerMonth, 0.09 * MONTH],
    [SERIES.netSavedPerMonth, NET * MONTH],
];

test("every recorded series has the figure that its counters make", async () => {
    const close = (expr: string, figure: number, share: number) => ({
        expr: `abs(${expr} - ${figure}) < bool ${Math.abs(figure) * share + 1e-9}`,
        eval_time: `${MINUTES - 1}m`,
        exp_samples: [{ labels: "{}", value: 1 }],
    });
    const { code, output } = await testRules([
        {
            rules: ruleFiles(),
            interval: "15s",
            tests: [
                {
                    name: "steady traffic",
                    interval: "15s",
                    input_series: Object.entries(INPUT).map(([series, values]) => ({
                        series,
                        values,
                    })),
                    promql_expr_test: [
                        ...EXPECTED.map(([series, labels, figure]) =>
                            close(`sum(${series}${labels})`, figure, 1e-9),
                        ),
                        ...ROUGH.map(([series, figure]) => close(`sum(${series})`, figure, 0.12)),
                    ],
                },
            ],
        },
    ]);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("SUCCESS") });
});

test("no recorded series is without such a figure", () => {
    const shown = new Set([...EXPECTED, ...ROUGH].map(([series]) => series));
    expect(seriesNames().filter((name) => !shown.has(name))).toEqual([]);
});

test("without traffic there are no shares, and no quantile is a figure", async () => {
    const silent = Object.keys(INPUT).map((series) => ({ series, values: level(0) }));
    const absent = [
        SERIES.hitRatio.colour,
        SERIES.hitRatio.service,
        SERIES.tokenHitRatio.service,
        SERIES.errorRatio.colour,
        SERIES.costSavings,
        objectiveErrorRatio("availability", "5m"),
        objectiveErrorRatio("latency", "7d"),
        SERIES.availabilityBudget,
    ].map((series) => ({ expr: series, eval_time: "20m", exp_samples: [] }));
    const { code, output } = await testRules([
        {
            rules: ruleFiles(),
            interval: "15s",
            tests: [
                {
                    name: "silence",
                    interval: "15s",
                    input_series: silent,
                    promql_expr_test: [
                        ...absent,
                        { expr: `${SERIES.p95.service} > 0`, eval_time: "20m", exp_samples: [] },
                    ],
                },
            ],
        },
    ]);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("SUCCESS") });
});
