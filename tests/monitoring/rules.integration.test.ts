import {
    METRICS,
    objectiveErrorRatio,
    OBJECTIVES,
    OBJECTIVE_WINDOWS,
    TRAFFIC_WEIGHT,
} from "@property-search/contract";
import { describe, expect, test } from "@jest/globals";

import {
    DEFAULT_THRESHOLDS,
    ruleFiles,
    type AlertThresholds,
    type Rule,
} from "../../components/monitoring/alerts/index.ts";
import { lintQuery, secondsOf, seriesNames, seriesOf } from "../support/promql.ts";
import { checkRules } from "../support/monitoring/promtool.ts";

const groups = Object.values(ruleFiles()).flatMap((file) => file.groups);
const rules: readonly Rule[] = groups.flatMap((group) => group.rules);
const recorded = new Set(rules.flatMap((rule) => ("record" in rule ? [rule.record] : [])));
const nameOf = (rule: Rule) => ("record" in rule ? rule.record : rule.alert);

describe("the rules", () => {
    test("are valid to promtool", async () => {
        const { code, output } = await checkRules(ruleFiles());
        expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("SUCCESS") });
    });

    test.each(rules.map((rule) => [nameOf(rule), rule.expr]))("%s passes the lint", (_, expr) => {
        expect(lintQuery(expr, { recorded })).toEqual([]);
    });

    test("record exactly the series of the contract", () => {
        const promised = [
            ...seriesNames(),
            ...OBJECTIVES.flatMap((one) =>
                OBJECTIVE_WINDOWS.map((span) => objectiveErrorRatio(one, span)),
            ),
        ];
        expect([...recorded].sort()).toEqual(promised.sort());
    });

    test("have each name once, and each group too", () => {
        const names = rules.map(nameOf);
        expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
        expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
    });

    test("see in one turn what their own group recorded in it", () => {
        for (const group of groups) {
            const later = new Set(
                group.rules.flatMap((rule) => ("record" in rule ? [rule.record] : [])),
            );
            for (const rule of group.rules) {
                expect(seriesOf(rule.expr).filter((name) => later.has(name))).toEqual([]);
                if ("record" in rule) later.delete(rule.record);
            }
        }
    });

    test("reach back no further than the 200 hours that Prometheus keeps", () => {
        for (const { expr } of rules) {
            for (const [, window = ""] of expr.matchAll(/\[([^\]:]+)[\]:]/g)) {
                expect(secondsOf(window)).toBeLessThanOrEqual(200 * 3600);
            }
        }
    });

    test("link to the runbook pages at the stack's URL", () => {
        const files = ruleFiles(DEFAULT_THRESHOLDS, "https://wiki.example/alerts");
        for (const { groups: all } of Object.values(files)) {
            for (const rule of all.flatMap((group) => group.rules)) {
                if (!("alert" in rule)) continue;
                expect(rule.annotations.runbook_url).toBe(
                    `https://wiki.example/alerts/${rule.alert}.md`,
                );
            }
        }
    });
});

describe("the lint", () => {
    const time = `${METRICS.responseTime}_bucket`;
    test.each([
        ["a sum of rates", `sum(rate(${METRICS.requests}[5m]))`, []],
        [
            "a dashboard's variables",
            `rate(${METRICS.requests}{colour="$colour"}[$__rate_interval])`,
            [],
        ],
        ["a quantile", `histogram_quantile(0.9, sum by (le) (rate(${time}[5m])))`, []],
        [
            "a quantile of rated buckets",
            "histogram_quantile(0.9, le:embedding_response_time_seconds_bucket:rate5m)",
            [],
        ],
        [
            "a quantile without rate",
            `histogram_quantile(0.9, sum by (le) (${time}))`,
            ["without rate"],
        ],
        [
            "a quantile of buckets without le",
            `histogram_quantile(0.9, sum by (colour) (rate(${time}[5m])))`,
            ["lost le"],
        ],
        [
            "a quantile of buckets that le was taken from",
            `histogram_quantile(0.9, sum without (le) (rate(${time}[5m])))`,
            ["lost le"],
        ],
        ["a rate of a sum", `rate(sum(${METRICS.requests})[5m:])`, ["of an aggregate"]],
        ["a rate of a gauge", `rate(${METRICS.redisUp}[5m])`, ["no counter"]],
        [
            "an increase of a recorded rate",
            "increase(service:embedding_hits:rate5m[5m])",
            ["no counter"],
        ],
        ["a window of two scrapes", `rate(${METRICS.requests}[30s])`, ["less than four scrapes"]],
        ["an unknown metric", "embedding_hits_total > 1", ["neither exported nor recorded"]],
        ["a histogram without its part", METRICS.responseTime, ["neither exported nor recorded"]],
        ["what is no PromQL", `sum(${TRAFFIC_WEIGHT}`, ["does not parse"]],
    ])("of %s", (_, expr, problems) => {
        expect(lintQuery(expr, { recorded })).toEqual(
            problems.map((problem) => expect.stringContaining(problem)),
        );
    });
});

describe("thresholds", () => {
    const wrong: readonly (readonly [string, Partial<AlertThresholds>, string])[] = [
        [
            "a page before the warning",
            { hitRateCriticalPercent: 80 },
            "hitRateCriticalPercent is 80; allowed: less than hitRateWarningPercent (70)",
        ],
        [
            "a share of nothing",
            { errorPercent: 0 },
            "errorPercent is 0; allowed: more than 0 and less",
        ],
        [
            "an objective of all",
            { availabilityObjectivePercent: 100 },
            "availabilityObjectivePercent is 100; allowed: more than 0 and less than 100",
        ],
        [
            "a limit between two bucket bounds",
            { latencyObjectiveSeconds: 0.3 },
            "latencyObjectiveSeconds is 0.3; allowed: a bucket bound of the histogram",
        ],
        [
            "more data than the window has",
            { savingsDataHours: 25 },
            "savingsDataHours is 25; allowed: no more than savingsWindowHours (24)",
        ],
        [
            "a window beyond what is kept",
            { savingsWindowHours: 720 },
            "savingsWindowHours is 720; allowed: 5 minutes to 168 hours, in whole minutes",
        ],
        [
            "certificates that page first",
            { certificateWarningDays: 7 },
            "certificateCriticalDays is 7; allowed: less than certificateWarningDays (7)",
        ],
        [
            "traffic that is no number",
            { minRequestsPerSecond: NaN },
            "minRequestsPerSecond is NaN; allowed",
        ],
        ["no jobs", { jobs: [] }, "jobs is 0; allowed: 1 or more"],
    ];

    test.each(wrong)("reject %s", (_, changed, message) => {
        expect(() => ruleFiles({ ...DEFAULT_THRESHOLDS, ...changed })).toThrow(message);
    });

    test("decide what the rules say", () => {
        const files = JSON.stringify(
            ruleFiles({
                ...DEFAULT_THRESHOLDS,
                hitRateWarningPercent: 81,
                hitRateCriticalPercent: 61,
                latencySeconds: 0.25,
                minRequestsPerSecond: 3,
                monthlySavingsDollars: 512,
                savingsWindowHours: 0.5,
                savingsDataHours: 0.25,
                availabilityObjectivePercent: 99.5,
                latencyObjectivePercent: 95,
                latencyObjectiveSeconds: 1,
            }),
        );
        for (const part of [
            "< 0.81 and on (colour) colour:embedding_lookups:rate5m > 3",
            "< 0.61 ",
            ":p95_5m > 0.25 ",
            "< 512 and count_over_time(service:embedding_net_saved_dollars:rate5m[30m]) >= 60",
            "rate1h > 0.0672 ",
            'le=~\\"1|1.0\\"',
        ]) {
            expect(files).toContain(part);
        }
    });
});
