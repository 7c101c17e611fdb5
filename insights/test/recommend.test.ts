import { describe, expect, test } from "@jest/globals";
import { recommend } from "../src/analysis/recommend.ts";
import type { Estimate } from "../src/analysis/estimate.ts";
import type { Hour, Report, Tenant, TtlCurve } from "../src/analysis/report.ts";
import { blankReport, usualReport } from "./support/reports.ts";

const usual = usualReport();
const [server] = usual.redis ?? [];
if (!server) throw new Error("the usual report has a Redis server");

const hour = (from: string, overloaded: number): Hour => ({
    from,
    lookups: 10,
    hitRate: 0.5,
    dollarsSaved: 1,
    dollarsBilled: 1,
    serverErrors: 0,
    overloaded,
    p95: 0.1,
    isPartial: false,
});

const tenant = (name: string, saved: number, billed: number): Tenant => ({
    tenant: name,
    hitRate: saved / (saved + billed),
    tokensSaved: { "HIT-L1": saved },
    tokensBilled: billed,
    dollarsSaved: saved / 100,
    dollarsBilled: billed / 100,
    rejectedRequests: 0,
});

const DAY = 86_400;

/** A curve of lifetimes, with what each would have saved. */
function curve(
    currentTtlSeconds: number,
    saved: Readonly<Record<number, Estimate>>,
    memory = 1,
): TtlCurve {
    const exactly = (value: number) => ({ value, low: value, high: value });
    return {
        memorySeconds: 30 * DAY,
        currentTtlSeconds,
        points: Object.entries(saved).map(([ttl, savedDollars]) => ({
            ttlSeconds: Number(ttl),
            hitRate: exactly(0.8),
            memory: exactly(memory),
            dollars: exactly(1),
            savedDollars,
        })),
    };
}

/** A change of the usual report that supports one recommendation, and a figure of which it would not. */
const CASES: readonly (readonly [id: string, supports: Partial<Report>, not: Partial<Report>])[] = [
    [
        "overhead-above-savings",
        { cost: { ...usual.cost, pods: 20, net: -13 } },
        { cost: { ...usual.cost, pods: null, net: null } },
    ],
    [
        "hot-hours",
        {
            upstream: { ...usual.upstream, overloaded: 7 },
            hours: [hour("2026-11-29T08:00:00Z", 2), hour("2026-11-29T09:00:00Z", 5)],
        },
        { hours: [hour("2026-11-29T08:00:00Z", 0)] },
    ],
    [
        "redis-memory",
        { redis: [{ ...server, evictedKeys: 50, maxUsedBytes: 1000 }] },
        { redis: [{ ...server, evictedKeys: undefined }] },
    ],
    [
        "redis-writes-dropped",
        { errors: { ...usual.errors, redisWritesDropped: 2 } },
        { errors: { ...usual.errors, redisWritesDropped: 1 } },
    ],
    ["longer-ttl", {}, { redis: [{ ...server, maxUsedBytes: 600 }] }],
    [
        "local-cache-size",
        { localCaches: { pods: 3, full: 2, entriesPerPod: 2000 } },
        { localCaches: null },
    ],
    [
        "shorter-ttl",
        { ttlCurve: curve(DAY, { 3600: { value: 1, low: 0.6, high: 1.4 } }) },
        { ttlCurve: curve(DAY, { 3600: { value: 1, low: 0, high: 2 } }) },
    ],
    [
        "tenant-hit-rate:chat",
        { tenants: [tenant("search", 900, 100), tenant("chat", 10, 90)] },
        { tenants: [tenant("search", 900, 100), tenant("chat", 0, 1)] },
    ],
];

const idsOf = (report: Report) => recommend(report).map(({ id }) => id);

describe.each(CASES)("%s", (id, supports, not) => {
    test("is recommended if the figures support it, with the figures", () => {
        const found = recommend(usualReport(supports)).find((one) => one.id === id);
        expect(found?.figures.length).toBeGreaterThan(0);
        expect(`${found?.effect ?? ""}${found?.figures.join("") ?? ""}`).not.toMatch(
            /NaN|undefined|Infinity|not measured, /,
        );
    });

    test("is not recommended without them", () => {
        expect(idsOf(usualReport(not))).not.toContain(id);
    });

    test("is less certain, or left out, if data are missing", () => {
        const partial = usualReport({
            ...supports,
            completeness: { ...usual.completeness, state: "partial" },
        });
        const of = (report: Report) => recommend(report).find((one) => one.id === id)?.confidence;
        const order = ["high", "medium", "low", undefined];
        const [before, after] = [of(usualReport(supports)), of(partial)].map((one) =>
            order.indexOf(one),
        );
        expect(after).toBeGreaterThanOrEqual(Math.min((before ?? NaN) + 1, 2));
    });
});

test("a day whose figures are good has no recommendation", () => {
    expect(
        idsOf(
            usualReport({ cost: { ...usual.cost, billedByPurpose: { refresh: 0, request: 2 } } }),
        ),
    ).toEqual([]);
});

test("nothing measured supports nothing", () => {
    expect(idsOf(blankReport())).toEqual([]);
    const completeness = { ...usual.completeness, state: "not measured" as const };
    expect(idsOf(usualReport({ completeness }))).toEqual([]);
});

test("the effect on a tenant is what its bill would fall by at the hit rate of all tenants", () => {
    const tenants = [tenant("search", 900, 100), tenant("chat", 10, 90)];
    const [one] = recommend(usualReport({ tenants })).filter(({ id }) => id.startsWith("tenant"));
    // All tenants: 910 of 1,100 tokens. At this rate, chat would buy 100 × 190 / 1,100 of its 90 tokens, 0.01 $ each.
    const fallen = 0.9 - (100 * 190) / 1100 / 100;
    expect(one?.effect).toContain(`$${fallen.toFixed(3)}`);
});

describe("with the curves of the ghost caches", () => {
    const certain = { value: 2, low: 1.5, high: 2.5 };
    const find = (report: Report, id: string) => recommend(report).find((one) => one.id === id);

    test("the lifetime that saves most is recommended, with the interval of its effect", () => {
        const one = find(
            usualReport({
                ttlCurve: curve(DAY, {
                    [2 * DAY]: { value: 1, low: 0.9, high: 1.1 },
                    [7 * DAY]: certain,
                    [14 * DAY]: { value: 3, low: -1, high: 7 },
                }),
            }),
            "longer-ttl",
        );
        expect(one?.action).toContain("for 7 days instead of 24 hours");
        expect(one?.effect).toContain("$2.00 less");
        expect(one?.effect).toContain("between $1.50 and $2.50");
        expect(one?.confidence).toBe("high");
    });

    test("a lifetime whose entries Redis could not keep is not recommended", () => {
        const ids = idsOf(usualReport({ ttlCurve: curve(DAY, { [7 * DAY]: certain }, 6) }));
        expect(ids.filter((id) => id.endsWith("-ttl"))).toEqual([]);
    });

    test("nothing is recommended on refreshes alone, if the curve knows better", () => {
        const none = { value: 0, low: 0, high: 0 };
        expect(idsOf(usualReport({ ttlCurve: curve(DAY, { [7 * DAY]: none }) }))).toEqual([]);
    });

    test("a larger local cache is recommended only if its gain is certain", () => {
        const full = { localCaches: { pods: 3, full: 2, entriesPerPod: 2000 } };
        const withGain = (gainOfDouble: Estimate) =>
            usualReport({
                ...full,
                localCacheCurve: { currentEntries: 2000, points: [], gainOfDouble },
            });
        const one = find(withGain({ value: 0.1, low: 0.08, high: 0.12 }), "local-cache-size");
        expect(one?.effect).toContain("100 of 1,000 lookups (between 80 and 120)");
        expect(one?.confidence).toBe("high");
        const unsure = withGain({ value: 0.1, low: 0, high: 0.2 });
        expect(find(unsure, "local-cache-size")).toBeUndefined();
    });

    test("more memory for Redis has the misses of evicted entries as its effect", () => {
        const { missReasons } = usual;
        const evicted = { value: 0.25, low: 0.2, high: 0.3 };
        const one = find(
            usualReport({
                redis: [{ ...server, evictedKeys: 50, maxUsedBytes: 1000 }],
                missReasons: { sampled: 400, shares: { ...missReasons.shares, evicted } },
            }),
            "redis-memory",
        );
        expect(one?.effect).toContain("50 misses avoided (between 40 and 60)");
        expect(one?.confidence).toBe("high");
    });
});
