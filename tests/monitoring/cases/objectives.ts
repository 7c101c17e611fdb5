import { METRICS, NAMESPACES } from "@property-search/contract";
import type { Case } from "../../support/monitoring/cases.ts";
import { counter, type Span } from "../../support/monitoring/samples.ts";

const STEP = 60;
const FIRES = [`colour="all",namespace="${NAMESPACES.edge}",service="embedding-service"`];

/** Requests by a course of bad shares. */
type Course = (course: readonly Span[], perSecond?: number) => Record<string, string>;

/** Levels are in times the pace that uses the budget up in exactly seven days. */
function fast(of: Course): Case[] {
    return [
        {
            why: "a burst: only 5 m and 1 h are over their pace; it ends with the burst",
            series: of([
                [0, 360],
                [100, 10],
                [0, 30],
            ]),
            at: { "359m": [], "371m": FIRES, "378m": [], "390m": [] },
        },
        {
            why: "a steady loss: only 30 m and 6 h are over their pace; it ends soon after",
            series: of([
                [5, 120],
                [0, 60],
            ]),
            at: { "60m": FIRES, "120m": FIRES, "160m": [] },
        },
        {
            why: "what the long windows do not see yet is no page",
            series: of([
                [0, 120],
                [20, 6],
            ]),
            at: { "125m": [] },
        },
        {
            why: "a loss that the budget allows for is no page",
            series: of([[3.3, 120]]),
            at: { "60m": [], "119m": [] },
        },
        {
            why: "of little traffic a few failures are a large share",
            series: of([[100, 120]], 0.04),
            at: { "60m": [], "119m": [] },
        },
        {
            why: "no traffic",
            series: of([[5, 60]], 0),
            at: { "59m": [] },
        },
    ].map((one) => ({ ...one, step: STEP, every: "1m" }));
}

function slow(of: Course): Case[] {
    return [
        {
            why: "only 2 h and 1 d are over their pace",
            series: of([
                [5, 300],
                [0, 240],
                [2, 130],
            ]),
            at: { "660m": FIRES },
        },
        {
            why: "only 6 h and 3 d are over their pace",
            series: of([[1.2, 600]]),
            at: { "590m": FIRES },
        },
        {
            why: "it ends when the short windows have seen none for their time",
            series: of([
                [5, 300],
                [0, 420],
            ]),
            at: { "295m": FIRES, "690m": [] },
        },
        {
            why: "what the long windows do not see yet is no ticket",
            series: of([
                [0, 1560],
                [2, 240],
            ]),
            at: { "1795m": [] },
        },
        {
            why: "a loss that the budget allows for is no ticket",
            series: of([[0.9, 600]]),
            at: { "590m": [] },
        },
        {
            why: "of little traffic a few failures are a large share",
            series: of([[100, 600]], 0.04),
            at: { "590m": [] },
        },
    ].map((one) => ({ ...one, step: STEP, every: "5m" }));
}

/** A budget of 0.1 %. */
const failing: Course = (course, perSecond = 10) => {
    const of = (code: number) => `${METRICS.requests}{colour="blue",pod="a",code="${code}"}`;
    const rates = (share: (level: number) => number) =>
        counter(
            course.map(([level, minutes]) => [share(level * 0.001) * perSecond, minutes] as const),
            STEP,
        );
    return { [of(200)]: rates((bad) => 1 - bad), [of(503)]: rates((bad) => bad) };
};

/** A budget of 1 %. */
const slowing: Course = (course, perSecond = 10) => {
    const of = (part: string) =>
        `${METRICS.responseTime}_${part.replace("{", '{colour="blue",pod="a",result="miss"')}`;
    const rates = (share: (level: number) => number) =>
        counter(
            course.map(([level, minutes]) => [share(level * 0.01) * perSecond, minutes] as const),
            STEP,
        );
    return { [of("count{}")]: rates(() => 1), [of('bucket{,le="0.5"}')]: rates((bad) => 1 - bad) };
};

export const OBJECTIVE_CASES: Readonly<Record<string, readonly Case[]>> = {
    EmbeddingAvailabilityBurnFast: fast(failing),
    EmbeddingAvailabilityBurnSlow: slow(failing),
    EmbeddingLatencyBurnFast: fast(slowing),
    EmbeddingLatencyBurnSlow: slow(slowing),
};
