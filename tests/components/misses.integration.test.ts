import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { METRICS, SCRAPE_INTERVAL_SECONDS, type CacheResult } from "@property-search/contract";
import { adapterRule, missesQuery } from "../../components/autoscaler/misses.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

/** A pod's counter: its values, one a scrape, in promtool's notation. */
interface Counter {
    readonly values: string;
    readonly colour?: string;
    readonly pod?: string;
    readonly result?: CacheResult;
    readonly job?: string;
}

interface Answer {
    readonly labels: string;
    readonly value: number;
}

const folder = makeTemporaryFolder();

/** Asserts the result of a query in a real Prometheus after some seconds. */
function expectAnswer(
    expr: string,
    counters: readonly Counter[],
    seconds: number,
    answers: readonly Answer[],
): void {
    const input = counters.map(({ values, ...labels }) => {
        const all = {
            job: "embedding-service",
            colour: "blue",
            pod: "a",
            result: "miss",
            ...labels,
        };
        const pairs = Object.entries({ ...all, namespace: `property-search-${all.colour}` });
        const selector = pairs.map(([name, value]) => `${name}="${value}"`).join(",");
        return { series: `${METRICS.lookups}{${selector}}`, values };
    });
    const file = path.join(folder, "test.json");
    // promtool compares to the last bit.
    const rounded = `round(${expr}, 0.001)`;
    const evaluation = { expr: rounded, eval_time: `${seconds}s`, exp_samples: answers };
    const interval = `${SCRAPE_INTERVAL_SECONDS}s`;
    const tests = [{ interval, input_series: input, promql_expr_test: [evaluation] }];
    writeFileSync(file, JSON.stringify({ rule_files: [], evaluation_interval: interval, tests }));
    const { stdout, stderr, status } = spawnSync("promtool", ["test", "rules", file], {
        encoding: "utf8",
    });
    expect([stdout + stderr, status]).toEqual([expect.stringContaining("SUCCESS"), 0]);
}

const BLUE = missesQuery("blue");

describe("misses of a colour", () => {
    test("are those of all its pods, and neither its hits nor the other colour's", () => {
        const counters: Counter[] = [
            { pod: "a", values: "0+30x20" },
            { pod: "b", values: "0+60x20" },
            { pod: "a", result: "hit_l1", values: "0+9000x20" },
            { pod: "c", colour: "green", values: "0+900x20" },
            { pod: "d", job: "another", values: "0+900x20" },
        ];
        expectAnswer(BLUE, counters, 300, [{ labels: "{}", value: 6 }]);
        expectAnswer(missesQuery("green"), counters, 300, [{ labels: "{}", value: 60 }]);
    });

    test("grow when the hit rate falls under constant load, which adds pods", () => {
        // 100 lookups a second throughout; 10 of them miss, and from minute five on 60.
        const counters: Counter[] = [
            { values: "0+150x20 3900+900x20" },
            { result: "hit_l2", values: "0+1350x20 27600+600x20" },
        ];
        expectAnswer(BLUE, counters, 300, [{ labels: "{}", value: 10 }]);
        expectAnswer(BLUE, counters, 600, [{ labels: "{}", value: 60 }]);
    });

    test("have shown five times the load after a minute", () => {
        const counters: Counter[] = [{ values: "0+150x20 3750+750x20" }];
        expectAnswer(BLUE, counters, 360, [{ labels: "{}", value: 50 }]);
    });

    test("are 0 without requests, and unknown without scrapes", () => {
        expectAnswer(BLUE, [{ values: "7x40" }], 300, [{ labels: "{}", value: 0 }]);
        expectAnswer(BLUE, [], 300, []);
        expectAnswer(BLUE, [{ values: "0+30x8 _x30" }], 400, []);
    });

    test("do not jump when a pod restarts", () => {
        expectAnswer(BLUE, [{ values: "900000+150x10 0+150x20" }], 450, [
            { labels: "{}", value: 10 },
        ]);
    });

    test("survive a scrape that failed", () => {
        expectAnswer(BLUE, [{ values: "0+150x19 _ 3150+150x3" }], 300, [
            { labels: "{}", value: 10 },
        ]);
    });
});

describe("prometheus-adapter's rule", () => {
    test("returns the misses of each requested pod", () => {
        const { metricsQuery, seriesQuery } = adapterRule() as Record<string, string>;
        const query = (metricsQuery ?? "")
            .replace("<<.Series>>", METRICS.lookups)
            .replace("<<.LabelMatchers>>", 'namespace="property-search-blue",pod=~"a|b"')
            .replace("<<.GroupBy>>", "pod");
        const counters: Counter[] = [
            { pod: "a", values: "0+30x20" },
            { pod: "b", values: "0+60x20" },
            { pod: "a", result: "hit_l1", values: "0+9000x20" },
            { pod: "b", colour: "green", values: "0+900x20" },
        ];
        expectAnswer(query, counters, 300, [
            { labels: '{pod="a"}', value: 2 },
            { labels: '{pod="b"}', value: 4 },
        ]);
        expectAnswer(`count(${seriesQuery ?? ""})`, counters, 300, [{ labels: "{}", value: 3 }]);
    });
});
