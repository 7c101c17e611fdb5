import { describe, expect, test } from "@jest/globals";
import { listMetrics, findRatio } from "./promql.ts";

const isRatio = (name: string) => name.endsWith("_ratio");

describe("a query's ratio", () => {
    test.each([
        ["a / b", "a / b"],
        [
            "100 * (sum(rate(a[5m])) / on () sum(rate(b[5m])))",
            "sum(rate(a[5m])) / on () sum(rate(b[5m]))",
        ],
        ["1 - a / b", "a / b"],
        ["avg by (x) (a / b) or vector(0)", "a / b"],
        ["max_over_time((a / b)[5m:1m])", "a / b"],
        ["a / b > 0.5", "a / b"],
        ["clamp_max(hit_ratio{x='y'}, 1)", "hit_ratio{x='y'}"],
        ["-hit_ratio * 100", "hit_ratio"],
        ["sum(a) / scalar(count(b))", "sum(a) / scalar(count(b))"],
    ])("of %s is %s", (query, ratio) => {
        expect(findRatio(query, isRatio)).toBe(ratio);
    });

    test.each([
        "sum(rate(a[5m]))",
        "sum(rate(a[5m])) / 60",
        "sum(a) / (60 * 5)",
        "sum(a / b)",
        "count(hit_ratio > 0.5)",
        "sum(c) and on () (a / b > 0.5)",
        "sum(c) > hit_ratio",
        "sum(c) * hit_ratio",
        "rate(wrong_ratio[5m])",
        "vector(1)",
        "not ( a query",
        "",
    ])("is none in %s", (query) => {
        expect(findRatio(query, isRatio)).toBeUndefined();
    });
});

test("the metrics of a query are named", () => {
    expect(listMetrics('sum by (x) (rate(a_total{x="b"}[5m])) / 2 > on (c) level:d:sum')).toEqual([
        "a_total",
        "level:d:sum",
    ]);
    expect(listMetrics("vector(1)")).toEqual([]);
});
