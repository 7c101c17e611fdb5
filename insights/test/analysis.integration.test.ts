import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CACHE_STATUSES, JOBS, METRICS } from "@property-search/contract";
import { startPrometheus, type RealPrometheus } from "../../operations/test/support/prometheus.ts";
import { analyse } from "../src/analysis/analyse.ts";
import type { Report } from "../src/analysis/report.ts";
import { createPrometheus } from "../src/prometheus/client.ts";
import { CASE_SECONDS, createCases, END, HOUR, old, type Case } from "./support/cases.ts";
import {
    BOUNDS,
    countEvents,
    format,
    STEP_SECONDS,
    type CountedEvent,
} from "./support/simulation.ts";

const DAY = 24 * HOUR;

/** Each case has six hours of its own in one Prometheus, with an hour before and after. */
const cases = createCases(21, "2026-11-01T00:00:00Z");
const { add: addCase } = cases;
let prometheus: RealPrometheus;

const quiet = addCase(
    [
        { ...old("a"), endsAt: 10 * HOUR },
        // Restarts; its new counters exceed the old ones before the next hour.
        { pod: "b", startedAt: -HOUR, endsAt: 2 * HOUR },
        { pod: "b", startedAt: 2 * HOUR + 20, endsAt: DAY + HOUR },
        // The autoscaler adds a pod and removes it.
        { pod: "c", startedAt: 5 * HOUR, endsAt: 7 * HOUR },
        // A release of another version.
        { pod: "g", colour: "green", version: "v2.0.0", startedAt: 9 * HOUR, endsAt: DAY + HOUR },
    ],
    {},
    DAY,
);
const priced = addCase([
    { ...old("a"), overhead: { pod: 0.5, storage: 2 } },
    { pod: "b", startedAt: 3 * HOUR, endsAt: END, overhead: { pod: 0.5, storage: 2 } },
]);
const outage = addCase(
    [
        { ...old("a"), endsAt: 2.5 * HOUR },
        { pod: "a", startedAt: 2.5 * HOUR, endsAt: END },
        old("b"),
    ],
    { isUp: (time) => time < 2 * HOUR || time > 3 * HOUR },
);
const retention = addCase([old("a")], { isUp: (time) => time > 2 * HOUR });
const ended = addCase([old("a")], { isUp: (time) => time < 4 * HOUR });
const unreachable = addCase([old("a"), old("b")], {
    answers: (pod, time) => pod !== "b" || time < 1.5 * HOUR || time > 2.25 * HOUR,
});
const killed = addCase([{ ...old("a"), endsAt: 3 * HOUR }, old("b")], {
    answers: (pod, time) => pod !== "a" || time < 2 * HOUR,
});
const blind = addCase([old("a")], {
    answers: (_, time) => time < 2 * HOUR || time > 4 * HOUR,
});
const reset = addCase([{ ...old("a"), resetsAt: 2.9 * HOUR }]);
const clockAhead = addCase([
    old("a"),
    // Started three days ago by Prometheus' clock, and next year by its own; scraped from the middle on.
    { pod: "b", startedAt: 2 * HOUR, endsAt: END, clockAheadSeconds: 8_000_000 },
]);
const clockBehind = addCase([
    { ...old("a"), endsAt: 3 * HOUR, clockAheadSeconds: -2 * DAY },
    { pod: "a", startedAt: 3 * HOUR, endsAt: END, clockAheadSeconds: -2 * DAY },
]);
const mixed = addCase([old("a"), { ...old("b"), lacks: [METRICS.upstreamCalls] }]);
const stepped = addCase([old("a"), old("b")], {
    // Prometheus' clock jumps forward by twenty minutes: no sample has these times.
    isUp: (time) => time < 3.1 * HOUR || time > 3.1 * HOUR + 1200,
});
const empty = addCase([]);
const randomCases = Array.from({ length: 8 }, () =>
    cases.addRandom((random) =>
        ["a", "b", "c"].flatMap((pod) => {
            const ends = Math.floor(random() * END);
            if (random() < 0.5) return [old(pod)];
            const next = ends + Math.floor(random() * HOUR);
            const first = { pod, startedAt: random() < 0.5 ? -HOUR : ends - 100, endsAt: ends };
            return next < END ? [first, { pod, startedAt: next, endsAt: END }] : [first];
        }),
    ),
);

beforeAll(async () => {
    const labels = format({ job: JOBS.redis, namespace: "data", pod: "redis-0" });
    for (let seconds = 0; seconds <= DAY; seconds += STEP_SECONDS) {
        const at = quiet.window.from + seconds;
        // Redis restarts after two hours: ten keys before, seven after.
        const [used, evicted] =
            seconds < HOUR ? [100, 1000] : seconds < 2 * HOUR ? [300, 1010] : [500, 4];
        cases
            .parts()[0]
            ?.push(
                `redis_memory_used_bytes${labels} ${used} ${at}`,
                `redis_memory_max_bytes${labels} 1000 ${at}`,
                `redis_evicted_keys_total${labels} ${evicted + (seconds === DAY ? 3 : 0)} ${at}`,
            );
    }
    prometheus = await startPrometheus(cases.parts());
}, 180_000);

afterAll(() => prometheus.stop());

function read({ window }: Pick<Case, "window">): Promise<Report> {
    return analyse({
        prometheus: createPrometheus({ url: prometheus.url, retryMilliseconds: [] }),
        window,
        hotKeys: "no admin port",
        now: new Date(window.to * 1000),
    });
}

const time = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

/** Gaps with their times in hours of the window. */
const gapsOf = ({ completeness }: Report, { window }: Case) =>
    completeness.gaps.map(({ from, to, pod, losesCounts }) => ({
        hours: [from, to].map((at) =>
            Number(((Date.parse(at) / 1000 - window.from) / HOUR).toFixed(1)),
        ),
        pod,
        losesCounts,
    }));

describe("a day without gaps, over restarts, scaling and a release", () => {
    let report: Report;
    const total = (name: string, labels = {}) =>
        countEvents(quiet.events, quiet.window, name, labels);

    beforeAll(async () => {
        report = await read(quiet);
    });

    test("is complete, and has exactly the counts of the events", () => {
        expect(report.completeness).toMatchObject({ state: "complete", gaps: [], problems: [] });
        const lookups = Object.fromEntries(
            CACHE_STATUSES.map((tier) => [
                tier,
                total(METRICS.lookups, { result: tier.toLowerCase().replace("-", "_") }),
            ]),
        );
        expect(report.lookups.byTier).toEqual(lookups);
        const all = Object.values(lookups).reduce((sum, one) => sum + one, 0);
        expect(report.lookups.total).toBe(all);
        expect(report.lookups.hitRate).toBe((all - (lookups.MISS ?? NaN)) / all);
        expect(report.lookups.failed).toBe(total(METRICS.lookups, { result: "error" }));
        expect(report.errors.serverErrors).toBe(total(METRICS.requests, { code: "503" }));
        expect(report.upstream.tokensBilled).toBe(total(METRICS.tokensBilled));
        expect(report.cost).toMatchObject({
            saved: total(METRICS.costSaved),
            billedForRequests: total(METRICS.costBilled, { purpose: "request" }),
            billedByPurpose: {
                refresh: total(METRICS.costBilled, { purpose: "refresh" }),
                warmup: null,
            },
        });
    });

    test("has exactly the counts of each tenant, whose series begin when it has traffic", () => {
        expect(report.tenants.map(({ tenant }) => tenant).toSorted()).toEqual(["chat", "search"]);
        for (const { tenant, tokensSaved, dollarsBilled, hitRate } of report.tenants) {
            const saved = total(METRICS.tokensSaved, { tenant });
            const missed = total(METRICS.tokensBilled, { tenant, purpose: "request" });
            expect([tokensSaved["HIT-L1"], dollarsBilled, hitRate]).toEqual([
                total(METRICS.tokensSaved, { tenant, result: "hit_l1" }),
                total(METRICS.costBilled, { tenant }),
                saved / (saved + missed),
            ]);
        }
    });

    test("has the quantiles of the events, within a bucket", () => {
        const { answers, p50, p95 } = report.latency.all;
        const below = (le: number) =>
            total(`${METRICS.responseTime}_bucket`, { le: le === Infinity ? "+Inf" : String(le) });
        expect(answers).toBe(below(Infinity));
        for (const [fraction, quantile] of [
            [0.5, p50],
            [0.95, p95],
        ] as const) {
            const rank = fraction * below(Infinity);
            const upper = BOUNDS.find((bound) => below(bound) >= rank);
            const lower = BOUNDS.findLast((bound) => below(bound) < rank) ?? 0;
            expect(quantile).toBeGreaterThanOrEqual(lower);
            expect(quantile).toBeLessThanOrEqual(upper ?? lower);
        }
    });

    test("has hours whose counts are those of their events, and sum to the total", () => {
        expect(report.hours).toHaveLength(24);
        const sum = report.hours.reduce((all, { lookups }) => all + (lookups ?? NaN), 0);
        expect(sum).toBe(report.lookups.total);
        for (const [at, { from, lookups, serverErrors }] of report.hours.entries()) {
            const hour = {
                from: quiet.window.from + at * HOUR,
                to: quiet.window.from + (at + 1) * HOUR,
            };
            expect(from).toBe(time(hour.from));
            const expected = (name: string, labels: Record<string, string>) =>
                countEvents(quiet.events, hour, name, labels);
            expect(lookups).toBe(
                expected(METRICS.lookups, {}) - expected(METRICS.lookups, { result: "error" }),
            );
            expect(serverErrors).toBe(expected(METRICS.requests, { code: "503" }));
        }
    });

    test("names the versions, with their requests, and the pods", () => {
        const requests = (pods: string) =>
            countEvents(
                quiet.events.filter(({ pod }) => pods.includes(pod)),
                quiet.window,
                METRICS.requests,
            );
        expect(report.releases).toMatchObject([
            { colour: "blue", version: "v1.0.0", provider: "openai", requests: requests("abc") },
            { colour: "green", version: "v2.0.0", provider: "openai", requests: requests("g") },
        ]);
        expect(report.scaling).toMatchObject([
            { colour: "blue", least: 1, most: 3, added: 1, removed: 2, restarts: 1 },
            { colour: "green", least: 0, most: 1, added: 1, removed: 0, restarts: 0 },
        ]);
    });

    test("counts evicted keys over a restart of Redis", () => {
        expect(report.redis).toMatchObject([
            { name: "redis-0", maxUsedBytes: 500, limitBytes: 1000, evictedKeys: 10 + 4 + 3 },
        ]);
    });

    test("leaves unmeasured what has no series, and says so", () => {
        expect(report.cost.net).toBeNull();
        expect(report.cost.pods).toBeNull();
        expect(new Set(Object.values(report.missReasons.shares))).toEqual(new Set([null]));
        expect([report.ttlCurve, report.localCacheCurve]).toEqual([null, null]);
        expect(report.feedback.relevantShare).toBeNull();
        expect(report.notMeasured.map(({ figure }) => figure)).toEqual(
            expect.arrayContaining([
                "Cost of pods",
                "Cost of storage",
                "Cost of upstream calls for warmup",
                "Reasons of misses",
                "Costs of other lifetimes of entries",
                "Hit rates of other sizes of the local cache",
                "Feedback of clients",
                "Hot keys",
            ]),
        );
    });

    test("PromQL's increase() has other counts", async () => {
        const query = `sum(increase(${METRICS.lookups}{result="miss"}[${DAY}s]))`;
        const answer = (await prometheus.ask("/api/v1/query", {
            query,
            time: String(quiet.window.to),
        })) as { data: { result: { value: [number, string] }[] } };
        const increase = Number(answer.data.result[0]?.value[1]);
        expect(increase).not.toBe(report.lookups.byTier.MISS);
        expect(increase / (report.lookups.byTier.MISS ?? NaN)).toBeCloseTo(1, 1);
    });
});

test("pods cost their time, and storage costs once for all pods", async () => {
    const { cost } = await read(priced);
    // Two scrapes of tolerance: a pod is known from its first scrape on.
    expect(cost.pods).toBeCloseTo(0.5 * 6 + 0.5 * 3, 1);
    expect(cost.storage).toBeCloseTo(2 * 6, 1);
});

/** Lookups of processes, from a time to another one, in seconds of the case. */
function lookupsOf(
    { events, window }: Case,
    from: number,
    to: number,
    isOwn: (event: CountedEvent) => boolean = () => true,
) {
    return countEvents(
        events.filter((event) => isOwn(event) && event.labels.result !== "error"),
        { from: window.from + from, to: window.from + to },
        METRICS.lookups,
    );
}

describe("data that are missing", () => {
    test("an outage of Prometheus is a gap; the counts of its killed process are missing, others not", async () => {
        const report = await read(outage);
        expect(report.completeness.state).toBe("partial");
        expect(gapsOf(report, outage)).toEqual([{ hours: [2, 3], pod: null, losesCounts: true }]);
        const isFirst = ({ pod, startedAt }: CountedEvent) =>
            pod === "a" && startedAt < outage.window.from;
        expect(report.lookups.total).toBe(
            lookupsOf(outage, 0, 2 * HOUR, isFirst) +
                lookupsOf(outage, 0, CASE_SECONDS, (event) => !isFirst(event)),
        );
        expect(report.hours[2]).toMatchObject({ lookups: null, isPartial: true });
        expect(report.cost.netPerMonth).toBeNull();
    });

    test("a retention shorter than the window is a gap at its begin", async () => {
        const report = await read(retention);
        expect(report.completeness.state).toBe("partial");
        expect(gapsOf(report, retention)).toEqual([
            { hours: [0, 2], pod: null, losesCounts: true },
        ]);
        // Not the process's lifetime: its counts until its first scrape may be older than the window.
        const [first] = retention.events.filter(
            ({ seconds }) => seconds > retention.window.from + 2 * HOUR,
        );
        const from = (first?.seconds ?? NaN) - retention.window.from;
        expect(report.lookups.total).toBe(lookupsOf(retention, from, CASE_SECONDS));
        expect(report.hours.slice(0, 2)).toMatchObject([
            { lookups: null, hitRate: null, p95: null },
            { lookups: null, hitRate: null, p95: null },
        ]);
    });

    test("a Prometheus that has ended is a gap at the window's end", async () => {
        const report = await read(ended);
        expect(report.completeness.state).toBe("partial");
        expect(gapsOf(report, ended)).toEqual([{ hours: [4, 6], pod: null, losesCounts: true }]);
        expect(report.lookups.total).toBe(lookupsOf(ended, 0, 4 * HOUR));
        expect(report.hours[5]).toMatchObject({ lookups: null });
    });

    test("a pod that is not scraped, but runs on, loses no count; its hours are unknown", async () => {
        const report = await read(unreachable);
        expect(report.completeness.state).toBe("complete");
        expect(gapsOf(report, unreachable)).toEqual([
            { hours: [1.5, 2.3], pod: "b", losesCounts: false },
        ]);
        expect(report.lookups.total).toBe(lookupsOf(unreachable, 0, CASE_SECONDS));
        expect(report.hours.map(({ lookups }) => lookups !== null)).toEqual([
            ...[true, false, false],
            ...[true, true, true],
        ]);
    });

    test("a pod that is not scraped before it ends loses counts", async () => {
        const report = await read(killed);
        expect(report.completeness.state).toBe("partial");
        expect(gapsOf(report, killed)).toEqual([{ hours: [2, 3], pod: "a", losesCounts: true }]);
    });

    test("a Prometheus that scrapes no pod says so", async () => {
        const report = await read(blind);
        expect(gapsOf(report, blind)).toEqual([{ hours: [2, 4], pod: null, losesCounts: true }]);
        expect(report.completeness.gaps[0]?.reason).toBe(
            "Prometheus ran, but no pod of the service answered",
        );
    });

    test("a reset without a restart leaves out the counters that fell", async () => {
        const report = await read(reset);
        expect(report.completeness.state).toBe("partial");
        expect(report.completeness.problems).not.toEqual([]);
    });

    test("a pod whose clock is ahead is not taken for a new one", async () => {
        const report = await read(clockAhead);
        expect(report.completeness.state).toBe("partial");
        expect(report.completeness.gaps).toMatchObject([
            { pod: "b", reason: expect.stringContaining("clock"), losesCounts: true },
        ]);
        const total = lookupsOf(clockAhead, 0, CASE_SECONDS);
        expect(report.lookups.total).toBeLessThanOrEqual(total);
    });

    test("a pod whose clock is behind is exact over a restart", async () => {
        const report = await read(clockBehind);
        expect(report.completeness).toMatchObject({ state: "complete", gaps: [] });
        expect(report.lookups.total).toBe(lookupsOf(clockBehind, 0, CASE_SECONDS));
    });

    test("a step of Prometheus' clock is a gap", async () => {
        const report = await read(stepped);
        expect(gapsOf(report, stepped)).toEqual([
            { hours: [3.1, 3.5], pod: null, losesCounts: true },
        ]);
        expect(report.lookups.total).toBe(lookupsOf(stepped, 0, CASE_SECONDS));
    });

    test("a metric that one version does not export is partial", async () => {
        const report = await read(mixed);
        expect(report.completeness).toMatchObject({
            state: "partial",
            problems: [`${METRICS.upstreamCalls} is exported by 1 of 2 processes`],
        });
    });

    test("nothing at all is not measured, and no figure is 0", async () => {
        const report = await read(empty);
        expect(report.completeness.state).toBe("not measured");
        expect(gapsOf(report, empty)).toEqual([{ hours: [0, 6], pod: null, losesCounts: true }]);
        const { byTier, ...lookups } = report.lookups;
        const { savedByTier, billedByPurpose, ...cost } = report.cost;
        for (const figures of [
            byTier,
            lookups,
            savedByTier,
            billedByPurpose,
            cost,
            report.errors,
            report.upstream,
        ])
            expect(new Set(Object.values(figures))).toEqual(new Set([null]));
        expect(new Set(report.hours.map(({ lookups: one }) => one))).toEqual(new Set([null]));
    });
});

describe("random restarts and outages", () => {
    /** Counts within a few scrapes of an end of the window or of a process may be on either side of it. */
    const TOLERANCE = 4 * STEP_SECONDS;

    test.each(randomCases.map((one, at) => [at, one] as const))(
        "case %i: a figure is at most what happened, and a complete one is what happened",
        async (_, one) => {
            const report = await read(one);
            const { from, to } = one.window;
            const reported = report.lookups.total ?? 0;
            expect(reported).toBeLessThanOrEqual(lookupsOf(one, -TOLERANCE, CASE_SECONDS));
            if (report.completeness.state !== "complete") {
                expect(report.completeness.gaps.length).toBeGreaterThan(0);
                return;
            }
            const last = new Map<string, number>();
            for (const { pod, startedAt, seconds } of one.events)
                last.set(`${pod} ${startedAt}`, seconds);
            const surely = lookupsOf(one, TOLERANCE, CASE_SECONDS - TOLERANCE, (event) => {
                const end = last.get(`${event.pod} ${event.startedAt}`) ?? NaN;
                return end >= to || event.seconds <= end - TOLERANCE;
            });
            expect(from).toBeLessThan(to);
            expect(reported).toBeGreaterThanOrEqual(surely);
        },
    );
});
