import { expect, test } from "@jest/globals";
import { createView } from "../../src/impact/createView.ts";
import type { Figures } from "../../src/impact/figures.ts";

const NOW = Date.parse("2026-11-20T10:37:20Z") / 1000;

function viewOf(figures: Figures) {
    const bin = { from: NOW - 600, to: NOW, figures, peaks: {}, isPartial: false };
    const state = { pods: 1, errorBound: null, errorBudget: null, overlap: null, settings: [] };
    const { hitRate, notMeasured } = createView({
        ...{ range: "1h", minutes: [], isLoading: false, reports: [], tuning: [], now: NOW },
        latestDecisions: {},
        store: { hours: () => [], days: () => [] },
        live: {
            ...{ from: NOW - 600, to: NOW, bins: [bin], events: [], gaps: [], state },
            outage: undefined,
        },
    });
    const { missReasons, unclassifiedShare } = hitRate;
    const reason = notMeasured.find(({ figure }) => figure === "Reasons of misses")?.reason;
    return { missReasons, unclassifiedShare, reason };
}

const MISSES = {
    "lookups hit_l1": 900,
    "lookups miss": 100,
    "misses cold": 60,
    "misses unknown": 40,
};

test("reasons of misses come with the share that is not classified", () => {
    expect(viewOf({ ...MISSES, ghostDropped: 10 })).toEqual({
        missReasons: { cold: 60, unknown: 40 },
        unclassifiedShare: 0.4,
        reason: undefined,
    });
});

test.each<[string, Figures, string]>([
    ["more than 1 % of the queries were dropped", { ghostDropped: 11 }, "unavailable for 1.1 %"],
    ["it is not known how many were", {}, "does not count them"],
])("reasons of misses are not shown if %s", (_, figures, reason) => {
    expect(viewOf({ ...MISSES, ...figures })).toEqual({
        missReasons: null,
        unclassifiedShare: null,
        reason: expect.stringContaining(reason),
    });
});
