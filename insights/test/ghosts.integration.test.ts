import { beforeAll, describe, expect, test } from "@jest/globals";
import {
    GHOST_GROUPS,
    GHOST_TTLS_SECONDS,
    JOBS,
    METRICS,
    MISS_REASONS,
    REUSE_DISTANCE_BUCKETS,
    type MissReason,
} from "@property-search/contract";
import { seededRandom } from "../../bench/shared/random.ts";
import { startPrometheus, type Series } from "../../operations/test/support/prometheus.ts";
import { setUp } from "../../tests/support/setUp.ts";
import { analyse } from "../src/analysis/analyse.ts";
import { recommend } from "../src/analysis/recommend.ts";
import type { Report } from "../src/analysis/report.ts";
import { createPrometheus } from "../src/prometheus/client.ts";
import { createDocument } from "../src/report/document.ts";
import { formatDollars } from "../src/report/format.ts";
import { writeMarkdown } from "../src/report/markdown.ts";

const HOUR = 3_600;
const DAY = 24 * HOUR;
const STEP_SECONDS = 300;
const KEYS_PER_SAMPLE = 16;
const LOOKUPS = 80_000;
const STORAGE_DOLLARS_PER_HOUR = 0.5;
const DOLLARS_PER_FETCH = 0.001;
const USED_BYTES = 1e7;
const LIMIT_BYTES = 1e9;

type Labels = Readonly<Record<string, string>>;
type Counter = readonly [name: string, labels: Labels, perDay: number];

const random = seededRandom(5);
/** Divides a count among the groups, unequally, and in units of a sampled key. */
function divide(count: number): readonly number[] {
    const weights = Array.from({ length: GHOST_GROUPS }, () => 0.8 + 0.4 * random());
    const sum = weights.reduce((all, one) => all + one, 0);
    return weights.map(
        (weight) => KEYS_PER_SAMPLE * Math.round((count * weight) / sum / KEYS_PER_SAMPLE),
    );
}

const inGroups = (name: string, labels: Labels, count: number): readonly Counter[] =>
    divide(count).map((own, group) => [name, { ...labels, group: String(group) }, own] as const);

const MISSES: Readonly<Record<MissReason, number>> = {
    ...{ cold: 8_000, expired: 6_000, evicted: 1_600 },
    ...{ invalidated: 320, not_stored: 0, unknown: 80 },
};
/** Fetches by lifetime: longer ones need fewer. */
const fetchesOf = (ttl: number) => 10_000 + 30_000 * (HOUR / ttl) ** 0.3;
/** Lookups that a local cache of this size would have answered. */
const hitsOf = (entries: number) => LOOKUPS * Math.min(0.9, 0.2 + 0.05 * Math.log2(entries / 500));

const GHOSTS: readonly Counter[] = [
    ...MISS_REASONS.flatMap((reason) => inGroups(METRICS.misses, { reason }, MISSES[reason])),
    ...GHOST_TTLS_SECONDS.flatMap((ttl) =>
        inGroups(METRICS.ghostFetches, { ttl_seconds: String(ttl) }, fetchesOf(ttl)),
    ),
    ...inGroups(METRICS.ghostFirstRequests, {}, 10_000),
    ...inGroups(`${METRICS.ghostReuseTime}_count`, {}, LOOKUPS - 10_000),
    [METRICS.ghostDropped, {}, 0],
    ...REUSE_DISTANCE_BUCKETS.flatMap((bound) =>
        inGroups(`${METRICS.ghostReuseDistance}_bucket`, { le: String(bound) }, hitsOf(bound)),
    ),
    ...inGroups(`${METRICS.ghostReuseDistance}_bucket`, { le: "+Inf" }, LOOKUPS),
    ...["exact", "semantic", "unknown"].flatMap((source): Counter[] => [
        [METRICS.feedback, { tenant: "search", verdict: "relevant", source }, 30],
        [METRICS.feedback, { tenant: "search", verdict: "irrelevant", source }, 10],
    ]),
];

const COUNTERS: readonly Counter[] = [
    [METRICS.lookups, { result: "hit_l1" }, 40_000],
    [METRICS.lookups, { result: "hit_l2" }, 24_000],
    [METRICS.lookups, { result: "miss" }, 16_000],
    [METRICS.lookups, { result: "error" }, 0],
    [METRICS.costBilled, { purpose: "request" }, 16_000 * DOLLARS_PER_FETCH],
    [METRICS.costBilled, { purpose: "refresh" }, 1_000 * DOLLARS_PER_FETCH],
    [METRICS.upstreamInputs, {}, 17_000],
    [METRICS.upstreamCalls, {}, 17_000],
    [METRICS.requests, { code: "200" }, LOOKUPS],
    ...["hit_l1", "hit_l2"].flatMap((result): Counter[] => [
        [`${METRICS.responseTime}_sum`, { result }, result === "hit_l1" ? 20 : 60],
        [`${METRICS.responseTime}_count`, { result }, 20_000],
    ]),
];

interface Case {
    readonly begin: number;
    readonly counters: readonly Counter[];
    readonly gauges: readonly (readonly [name: string, labels: Labels, value: number])[];
    /** Counters of a second pod. */
    readonly other?: readonly Counter[];
}

const gaugesOf = (memorySeconds: number, ttlSeconds: number): Case["gauges"] => [
    [METRICS.ghostSamplingRatio, { ghost: "reuse_time" }, 1 / KEYS_PER_SAMPLE],
    [METRICS.ghostMemory, {}, memorySeconds],
    [METRICS.settingValue, { setting: "cacheTtlSeconds", source: "config" }, ttlSeconds],
    [METRICS.settingValue, { setting: "localCacheMaxEntries", source: "config" }, 2_000],
    [METRICS.overheadRate, { kind: "storage" }, STORAGE_DOLLARS_PER_HOUR],
    [METRICS.localEntries, {}, 2_000],
];

const FIRST = Date.parse("2026-11-01T00:00:00Z") / 1000;
const begin = (at: number) => FIRST + 3 * DAY * at;
const CASES = {
    usual: {
        begin: begin(0),
        counters: [...COUNTERS, ...GHOSTS],
        gauges: gaugesOf(30 * DAY, HOUR),
    },
    young: {
        begin: begin(1),
        counters: [...COUNTERS, ...GHOSTS],
        gauges: gaugesOf(3 * DAY, 7 * DAY),
    },
    outage: {
        begin: begin(2),
        counters: [
            ...COUNTERS,
            ...GHOSTS.filter(([name]) => name !== METRICS.ghostDropped),
            [METRICS.ghostDropped, {}, 0.02 * LOOKUPS],
        ],
        gauges: gaugesOf(30 * DAY, DAY),
    },
    release: {
        begin: begin(3),
        counters: [...COUNTERS, ...GHOSTS],
        gauges: gaugesOf(30 * DAY, DAY),
        other: COUNTERS,
    },
} satisfies Record<string, Case>;

function seriesOf({ begin: from, counters, gauges, other }: Case): Series[] {
    const times = Array.from(
        { length: (DAY + 2 * STEP_SECONDS) / STEP_SECONDS + 1 },
        (_, at) => from - STEP_SECONDS + at * STEP_SECONDS,
    );
    const target = (pod: string): Labels => ({ job: JOBS.service, instance: `${pod}:8001`, pod });
    const constant = (pod: string, name: string, labels: Labels, value: number): Series => ({
        labels: { __name__: name, ...target(pod), ...labels },
        samples: times.map((time) => [time, value]),
    });
    const growing = (pod: string, [name, labels, perDay]: Counter): Series => ({
        labels: { __name__: name, ...target(pod), ...labels },
        samples: times.map((time) => [time, 100 + perDay * ((time - from) / DAY + 1)]),
    });
    const redis = { job: JOBS.redis, pod: "redis-0" };
    return [
        ...(other ? ["a", "b"] : ["a"]).flatMap((pod) => [
            constant(pod, "up", {}, 1),
            constant(pod, "process_start_time_seconds", {}, from - 7 * DAY),
        ]),
        ...counters.map((counter) => growing("a", counter)),
        ...(other ?? []).map((counter) => growing("b", counter)),
        ...gauges.map(([name, labels, value]) => constant("a", name, labels, value)),
        ...[
            ["redis_memory_used_bytes", USED_BYTES],
            ["redis_memory_max_bytes", LIMIT_BYTES],
        ].map(([name, value]) => ({
            labels: { __name__: String(name), ...redis },
            samples: times.map((time) => [time, Number(value)] as const),
        })),
    ];
}

const reports = new Map<string, Report>();

const prometheus = setUp(startPrometheus, (one) => one.stop());

beforeAll(async () => {
    for (const [name, one] of Object.entries<Case>(CASES)) {
        await prometheus.write(seriesOf(one));
        const window = { from: one.begin, to: one.begin + DAY };
        const report = await analyse({
            prometheus: createPrometheus({ url: prometheus.url, retryMilliseconds: [] }),
            window,
            hotKeys: "no admin port",
            now: new Date(window.to * 1000),
        });
        reports.set(name, report);
    }
});

function reportOf(name: keyof typeof CASES): Report {
    const report = reports.get(name);
    if (!report) throw new Error(`There is no report of ${name}`);
    return report;
}

const gapsOf = (report: Report) => report.notMeasured.map(({ figure }) => figure);

describe("a day that is measured", () => {
    test("has the shares of the reasons, in intervals that contain them", () => {
        const { sampled, shares } = reportOf("usual").missReasons;
        const all = Object.values(MISSES).reduce((sum, count) => sum + count, 0);
        expect(sampled).toBeCloseTo(all / KEYS_PER_SAMPLE, -2);
        for (const reason of MISS_REASONS) {
            const { value, low, high } = shares[reason] ?? { value: NaN, low: NaN, high: NaN };
            expect(Math.abs(value - MISSES[reason] / all)).toBeLessThan(0.01);
            expect([low <= value, value <= high, high > 0]).toEqual([true, true, true]);
        }
    });

    test("has hit rates and dollars by lifetime: those of fetches, and of the memory that they need", () => {
        const { ttlCurve } = reportOf("usual");
        expect(ttlCurve).toMatchObject({ memorySeconds: 30 * DAY, currentTtlSeconds: HOUR });
        const memoryDollars = 24 * STORAGE_DOLLARS_PER_HOUR * (USED_BYTES / LIMIT_BYTES);
        for (const { ttlSeconds, hitRate, dollars, memory } of ttlCurve?.points ?? []) {
            const fetches = fetchesOf(ttlSeconds);
            const entrySeconds = (ttl: number) => fetchesOf(ttl) * ttl;
            const share = entrySeconds(ttlSeconds) / entrySeconds(HOUR);
            expect(hitRate?.value).toBeCloseTo(1 - fetches / LOOKUPS, 2);
            expect((memory?.value ?? NaN) / share).toBeCloseTo(1, 1);
            const expected = fetches * DOLLARS_PER_FETCH + memoryDollars * share;
            expect((dollars?.value ?? NaN) / expected).toBeCloseTo(1, 1);
        }
    });

    test("recommends the lifetime that costs least and fits into the memory, with its interval", () => {
        const report = reportOf("usual");
        const [one] = recommend(report).filter(({ id }) => id.endsWith("-ttl"));
        expect(one?.id).toBe("longer-ttl");
        // Three days need fewer fetches, and the memory costs more than they save.
        expect(one?.action).toContain("for 2 days instead of 1 hour");
        const point = report.ttlCurve?.points.find(({ ttlSeconds }) => ttlSeconds === 2 * DAY);
        const { value, low, high } = point?.savedDollars ?? { value: NaN, low: NaN, high: NaN };
        expect(value).toBeCloseTo(18, 0);
        expect([low < value, value < high, low > 0]).toEqual([true, true, true]);
        for (const dollars of [value, low, high])
            expect(one?.effect).toContain(formatDollars(dollars));
    });

    test("has the hit rates of other local caches", () => {
        const { localCacheCurve } = reportOf("usual");
        expect(localCacheCurve?.currentEntries).toBe(2_000);
        for (const { entries, hitRate } of localCacheCurve?.points ?? [])
            expect(hitRate?.value).toBeCloseTo(hitsOf(entries) / LOOKUPS, 2);
        expect(localCacheCurve?.gainOfDouble?.value).toBeCloseTo(0.05, 2);
    });

    test("has the verdicts of clients", () => {
        expect(reportOf("usual").feedback).toEqual({
            relevant: 90,
            irrelevant: 30,
            relevantShare: 0.75,
            bySource: {
                exact: { relevant: 30, irrelevant: 10 },
                semantic: { relevant: 30, irrelevant: 10 },
                unknown: { relevant: 30, irrelevant: 10 },
            },
        });
    });

    test("is written for readers from outside engineering", () => {
        const text = writeMarkdown(createDocument(reportOf("usual")));
        expect(text).toContain("Why texts were not in the cache");
        expect(text).toContain("the text was not requested before");
        expect(text).toContain("75.0 % of 120 results relevant");
        expect(text).not.toMatch(/NaN|Infinity|undefined|\[object/);
    });
});

test("lifetimes beyond the memory of the ghosts are not measured, and said so", () => {
    const report = reportOf("young");
    const points = report.ttlCurve?.points ?? [];
    for (const { ttlSeconds, hitRate } of points)
        expect(hitRate !== null).toBe(ttlSeconds <= 3 * DAY);
    // The lifetime in force is one of them, so that nothing can be compared with it.
    expect(points.every(({ dollars }) => dollars === null)).toBe(true);
    expect(gapsOf(report)).toContain("Costs of longer lifetimes of entries");
});

test("a day with an outage of Redis has no curve of lifetimes and no reasons of misses, and its other figures", () => {
    const report = reportOf("outage");
    expect(report.ttlCurve).toBeNull();
    for (const figure of ["Costs of other lifetimes of entries", "Reasons of misses"])
        expect(report.notMeasured).toContainEqual({
            figure,
            reason: "Redis was unavailable, so the history of too many requests is unknown",
        });
    expect(report.missReasons).toMatchObject({ sampled: null, shares: { cold: null } });
    expect(report.localCacheCurve).not.toBeNull();
});

test("while a version without these metrics runs, they are not measured, and the money is complete", () => {
    const report = reportOf("release");
    expect(report.completeness).toMatchObject({ state: "complete", problems: [] });
    expect(report.missReasons.shares.cold).toBeNull();
    expect(report.ttlCurve).toBeNull();
    expect(report.localCacheCurve).toBeNull();
    expect(report.feedback.relevant).toBeNull();
    expect(gapsOf(report)).toEqual(
        expect.arrayContaining(["Reasons of misses", "Feedback of clients"]),
    );
    expect(report.notMeasured).toContainEqual({
        figure: "Reasons of misses",
        reason: `${METRICS.misses} is exported by 1 of 2 processes`,
    });
});
