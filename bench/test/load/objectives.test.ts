import { describe, expect, jest, test } from "@jest/globals";

import { METRICS } from "@property-search/contract";
import type { RouteSummary, Summary } from "../../load/generator.ts";
import { beginWindow, lookupsOf } from "../../load/lookups.ts";
import {
    EXIT_CODES,
    generatorFault,
    judge,
    verdictOf,
    type Objective,
    type Run,
} from "../../load/objectives.ts";

const quantiles = (p99: number) => ({ p50: 1, p90: 2, p95: 3, p99, p999: 2 * p99, max: 3 * p99 });

/** Of a route without answers. */
const NONE = { p50: 0, p90: 0, p95: 0, p99: 0, p999: 0, max: 0 };

const route = (values: Partial<RouteSummary> = {}): RouteSummary => ({
    ...{ answered: 90, failed: 0, bytes: 0, failures: {}, servedBy: {}, curve: [] },
    ...{ cache: { "HIT-L1": 90 }, hits: 90, latency: quantiles(60), service: quantiles(10) },
    cached: quantiles(40),
    ...values,
});

const run = (values: Partial<Run> = {}, summary: Partial<Summary> = {}): Run => ({
    summary: {
        ...{ interrupted: false, seconds: 30, sent: 90, reconnects: 0, cpuSeconds: 1 },
        ...{ peakUsers: 1100, peakOpen: 10 },
        lag: quantiles(1),
        routes: { embed: route() },
        ...summary,
    },
    ...{ seconds: [], scheduled: 90 },
    ...values,
});

const one = (objective: Objective, given: Run) => judge([objective], given)[0];

describe("objectives", () => {
    test.each<[Objective, Run, string, string]>([
        [{ measure: "errorShare", max: 0 }, run(), "met", "0 %"],
        [
            { measure: "errorShare", max: 0 },
            run({}, { routes: { embed: route({ failed: 9 }) } }),
            "not met",
            "10 %",
        ],
        [{ measure: "errorShare", max: 0 }, run({ scheduled: 100 }), "not met", "10 %"],
        [
            { measure: "errorShare", max: 0 },
            run({ scheduled: 100 }, { interrupted: true }),
            "met",
            "0 %",
        ],
        [
            { measure: "errorShare", route: "chat", max: 0 },
            run(),
            "not measured",
            "no request of chat",
        ],
        [{ measure: "p99", route: "embed", max: 50 }, run(), "not met", "60 ms"],
        [{ measure: "p99", route: "embed", cached: true, max: 50 }, run(), "met", "40 ms"],
        [
            { measure: "p99", route: "embed", cached: true, max: 50 },
            run({}, { routes: { embed: route({ hits: 0 }) } }),
            "not measured",
            "no hit of embed",
        ],
        [
            { measure: "p99", route: "embed", cached: true, max: 50 },
            run({}, { routes: { embed: route({ failed: 10 }) } }),
            "not measured",
            "10 % of embed failed, more than the percentile leaves out",
        ],
        [
            { measure: "errorShare", max: 0 },
            run({}, { sent: 0, interrupted: true, routes: {} }),
            "not measured",
            "no request was sent",
        ],
        [
            { measure: "p95", route: "embed", max: 500 },
            run({}, { routes: { embed: route({ answered: 0, failed: 90, latency: NONE }) } }),
            "not measured",
            "no answer of embed",
        ],
        [{ measure: "hitRate", from: "x-cache", min: 0.8 }, run(), "met", "100 %"],
        [
            { measure: "hitRate", from: "x-cache", min: 0.8 },
            run({}, { routes: { properties: route({ cache: {} }) } }),
            "not measured",
            "no answer had x-cache",
        ],
        [
            { measure: "hitRate", from: "prometheus", min: 0.8 },
            run({ lookups: { hit_l1: 70, coalesced: 5, miss: 20, error: 5 } }),
            "not met",
            "75 %",
        ],
        [
            { measure: "hitRate", from: "prometheus", min: 0.8 },
            run({ lookupsMissing: "no cluster" }),
            "not measured",
            "no cluster",
        ],
        [
            { measure: "hitRate", from: "prometheus", min: 0.8 },
            run({ lookups: {} }),
            "not measured",
            "no answers",
        ],
        [{ measure: "users", min: 1001 }, run(), "met", "1,100"],
        [{ measure: "users", min: 1001 }, run({}, { peakUsers: 1000 }), "not met", "1,000"],
        [{ measure: "drift", max: 1.5 }, run(), "not measured", "the run is shorter than 15 s"],
        [{ measure: "knee", min: 220 }, run({ knee: 199.6 }), "not met", "199.6/s"],
    ])("%j is judged", (objective, given, verdict, measured) => {
        expect(one(objective, given)).toMatchObject({ verdict, measured });
    });

    test("lookups of which some are missing are not measured", () => {
        const growth = (result: string, value: number) => ({
            ...{ name: METRICS.lookups, labels: { result }, value },
        });
        const growths = [growth("hit_l1", 80), growth("miss", 20), growth("miss", 5)];
        expect(lookupsOf({ growths, problems: [] })).toEqual({ hit_l1: 80, miss: 25 });
        expect(() => lookupsOf({ growths, problems: ["pod-a: it was killed"] })).toThrow(
            "counts are incomplete: pod-a: it was killed",
        );
    });

    test("a window is not read after the clock was set", () => {
        const clock = jest.spyOn(Date, "now").mockReturnValue(1_000_000);
        try {
            const since = beginWindow();
            expect(since()).toBe(1000);
            clock.mockReturnValue(1_090_000);
            expect(since).toThrow("the clock of this machine stepped by 90.0 s meanwhile");
        } finally {
            clock.mockRestore();
        }
    });

    test("a latency that grows is a drift", () => {
        const seconds = Array.from({ length: 30 }, (_, second) => ({
            ...{ second, sent: 1, open: 0, maxLag: 0 },
            routes: {
                embed: { answered: 1, failed: 0, p50: 1, p99: second < 15 ? 10 : 20, max: 20 },
            },
        }));
        expect(one({ measure: "drift", max: 1.5 }, run({ seconds }))).toMatchObject({
            verdict: "not met",
            measured: "2 ×",
        });
    });

    test("a late generator makes every goal inconclusive, met or not", () => {
        const late = run({}, { lag: quantiles(10.1) });
        expect(generatorFault(late)).toContain("p99 10.1 ms");
        const judged = judge(
            [
                { measure: "p99", route: "embed", max: 50 },
                { measure: "errorShare", max: 0 },
            ],
            late,
        );
        expect(judged.map(({ verdict }) => verdict)).toEqual(["inconclusive", "inconclusive"]);
        expect(EXIT_CODES[verdictOf(judged)]).toBe(3);
    });

    test("one goal that does not hold decides; an unknown one is not met", () => {
        const [met, missed, unknown] = (["met", "not met", "not measured"] as const).map(
            (verdict) => ({ goal: "", measured: "", verdict }),
        );
        const verdict = (...all: (typeof met)[]) =>
            verdictOf(all.filter((given) => given !== undefined));
        expect(verdict()).toBe("inconclusive");
        expect(verdict(met)).toBe("met");
        expect(
            verdictOf(
                [met].flatMap((given) => given ?? []),
                true,
            ),
        ).toBe("inconclusive");
        expect(verdict(met, unknown)).toBe("inconclusive");
        expect(verdict(met, unknown, missed)).toBe("not met");
    });
});
