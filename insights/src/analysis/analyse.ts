import {
    CACHE_STATUSES,
    METRICS,
    OTHER_TENANTS,
    PURPOSES,
    REQUEST_PURPOSES,
    type Purpose,
} from "@property-search/contract";
import {
    PrometheusError,
    type Labels,
    type Prometheus,
    type Window,
} from "../prometheus/client.ts";
import { readCounts, type Counts } from "../prometheus/counters.ts";
import { readHours, type HourCounts } from "../prometheus/hours.ts";
import { readProcesses, type Gap, type Scrapes } from "../prometheus/processes.ts";
import { readGhostGauges, type GhostGauges } from "../prometheus/ghosts.ts";
import { readLocalCaches, type LocalCaches } from "../prometheus/localCaches.ts";
import { readRedis, type RedisServer } from "../prometheus/redis.ts";
import { curveGapOf, feedbackOf, localCacheCurveOf, missReasonsOf, ttlCurveOf } from "./ghosts.ts";
import { overheadOf, releasesOf, scalingOf } from "./platform.ts";
import { formatDays } from "../report/format.ts";
import { quantileOf, type Buckets } from "./quantile.ts";
import { recommend, type Figures } from "./recommend.ts";
import {
    formatGap,
    formatTime,
    SCHEMA,
    SCHEMA_VERSION,
    type Figure,
    type Hour,
    type HotKey,
    type Quantiles,
    type Report,
    type State,
    type Tenant,
} from "./report.ts";
import {
    add,
    addMeasured,
    createTotals,
    HIT_TIERS,
    isForRequests,
    MISS,
    negate,
    parseBound,
    ratio,
    resultOf,
    type Totals,
} from "./totals.ts";

export interface AnalysisArgs {
    readonly prometheus: Prometheus;
    readonly window: Window;
    /** Most requested keys of a pod, or the reason for their absence. */
    readonly hotKeys: readonly HotKey[] | string;
    readonly now: Date;
}

const HOURS_PER_MONTH = 30 * 24;
/** Redis samples that may be missing before its figures are partial. */
const MIN_REDIS_COVERAGE = 0.95;

/**
 * Analyses a window from Prometheus.
 *
 * @throws PrometheusError if Prometheus cannot be reached. A rejected query only leaves its figures unmeasured
 */
export async function analyse({ prometheus, window, hotKeys, now }: AnalysisArgs): Promise<Report> {
    const scrapes = await readProcesses(prometheus, window);
    const counts = await readCounts(prometheus, scrapes.processes, window);
    const { gaps, toleranceSeconds, intervalSeconds } = scrapes;
    const hours = await orReason(
        readHours(prometheus, { window, counts: counts.processes, gaps, toleranceSeconds }),
    );
    const redis = await orReason(readRedis(prometheus, window, intervalSeconds));
    const localCaches = await orReason(readLocalCaches(prometheus, window));
    const ghosts = await orReason(readGhostGauges(prometheus, window));
    return createReport({
        ...{ window, scrapes, counts, hours, redis, localCaches },
        ...{ ghosts, hotKeys, now },
    });
}

/** The report of a window in which Prometheus did not answer: nothing is known. */
export function unknownReport(
    window: Window,
    reason: string,
    { hotKeys, now }: Pick<AnalysisArgs, "hotKeys" | "now">,
): Report {
    const gap: Gap = { ...window, reason, losesCounts: true };
    const scrapes: Scrapes = {
        processes: [],
        gaps: [gap],
        intervalSeconds: 0,
        toleranceSeconds: 0,
    };
    const counts: Counts = { growths: [], processes: [], problems: [], leftOut: new Map() };
    return createReport({
        ...{ window, scrapes, counts, hotKeys, now },
        ...{ hours: reason, redis: reason, localCaches: reason, ghosts: reason },
    });
}

async function orReason<T>(reading: Promise<T>): Promise<T | string> {
    try {
        return await reading;
    } catch (error) {
        if (error instanceof PrometheusError && error.hasAnswered) return error.message;
        throw error;
    }
}

interface ReportArgs extends Pick<AnalysisArgs, "window" | "hotKeys" | "now"> {
    readonly scrapes: Scrapes;
    readonly counts: Counts;
    /** A string is the reason for which it is not measured; also below. */
    readonly hours: readonly HourCounts[] | string;
    readonly redis: readonly RedisServer[] | string;
    readonly localCaches: LocalCaches | string | undefined;
    readonly ghosts: GhostGauges | string;
}

const NO_GAUGES: GhostGauges = {
    samplingRatio: undefined,
    memorySeconds: undefined,
    ttlSeconds: undefined,
    localEntries: undefined,
};

function createReport(args: ReportArgs): Report {
    const { window, scrapes, counts, hours, redis, localCaches, hotKeys, now } = args;
    const totals = createTotals(counts.growths);
    const hoursOfWindow = (window.to - window.from) / 3600;
    const problems = [...counts.problems, ...redisProblems(redis)];
    const state = stateOf(scrapes, counts);
    const lookupsByTier = totals.byTier(METRICS.lookups, CACHE_STATUSES);
    const lookups = addMeasured(Object.values(lookupsByTier));
    const hits = addMeasured(HIT_TIERS.map((tier) => lookupsByTier[tier]));
    const gauges = typeof args.ghosts === "string" ? NO_GAUGES : args.ghosts;
    const measured: Omit<Figures, "ttlCurve" | "localCacheCurve"> = {
        schema: SCHEMA,
        schemaVersion: SCHEMA_VERSION,
        generatedAt: formatTime(now.getTime() / 1000),
        window: {
            from: formatTime(window.from),
            to: formatTime(window.to),
            hours: hoursOfWindow,
        },
        completeness: {
            state,
            scrapeSeconds: scrapes.intervalSeconds,
            processes: counts.processes.length,
            gaps: scrapes.gaps.map(formatGap),
            problems,
        },
        lookups: {
            total: lookups,
            failed: totals.sum(METRICS.lookups, { result: "error" }),
            hitRate: ratio(hits, lookups),
            byTier: lookupsByTier,
        },
        missReasons: missReasonsOf(totals, gauges),
        feedback: feedbackOf(totals),
        tenants: tenantsOf(totals),
        latency: {
            all: quantilesOf(
                totals.buckets(METRICS.responseTime, ({ result }) => result !== "error"),
            ),
            byTier: Object.fromEntries(
                CACHE_STATUSES.map((tier) => [
                    tier,
                    quantilesOf(
                        totals.buckets(
                            METRICS.responseTime,
                            ({ result }) => result === resultOf(tier),
                        ),
                    ),
                ]),
            ),
            meanByTier: Object.fromEntries(
                CACHE_STATUSES.map((tier) => {
                    const of = (part: string) =>
                        totals.sum(`${METRICS.responseTime}_${part}`, { result: resultOf(tier) });
                    return [tier, ratio(of("sum"), of("count"))];
                }),
            ),
        },
        upstream: {
            calls: totals.sum(METRICS.upstreamCalls),
            inputs: totals.sum(METRICS.upstreamInputs),
            tokensBilled: totals.sum(METRICS.tokensBilled),
            tokensSaved: totals.sum(METRICS.tokensSaved),
            failedAttempts: totals.sum(
                METRICS.upstreamAttempts,
                ({ outcome }: Labels) => outcome !== "ok",
            ),
            overloaded: totals.sum(METRICS.upstreamOverloaded),
        },
        cost: costOf(totals, args, state),
        errors: {
            requests: totals.sum(METRICS.requests),
            serverErrors: totals.sum(METRICS.requests, ({ code = "" }: Labels) =>
                code.startsWith("5"),
            ),
            rejectedByLimits: totals.sum(METRICS.rejected),
            redisErrors: totals.sum(METRICS.redisErrors),
            redisWritesDropped: totals.sum(METRICS.redisDropped),
            redisEntriesCorrupt: totals.sum(METRICS.redisCorrupt),
        },
        scaling: scalingOf(scrapes.processes, scrapes.gaps, window, scrapes.toleranceSeconds),
        releases: releasesOf(counts.processes, window),
        redis: typeof redis === "string" || redis.length === 0 ? null : redis,
        localCaches: typeof localCaches === "object" ? localCaches : null,
        hours: typeof hours === "string" ? [] : hours.map(formatHour),
        hotKeys: typeof hotKeys === "string" ? null : hotKeys,
    };
    const figures: Figures = {
        ...measured,
        ttlCurve: ttlCurveOf(totals, gauges, measured, window.to - window.from),
        localCacheCurve: localCacheCurveOf(totals, gauges, measured.lookups),
    };
    return {
        ...figures,
        notMeasured: [
            ...findNotMeasured(figures, args),
            ...findUnknownCurves(figures, counts, curveGapOf(totals)),
        ],
        recommendations: recommend(figures),
    };
}

/** State of the counts of the service; that of Redis is reported separately. */
function stateOf({ gaps, processes }: Scrapes, counts: Counts): State {
    if (processes.length === 0 || counts.growths.length === 0) return "not measured";
    const isPartial = counts.problems.length > 0 || gaps.some(({ losesCounts }) => losesCounts);
    return isPartial ? "partial" : "complete";
}

function redisProblems(redis: ReportArgs["redis"]): readonly string[] {
    if (typeof redis === "string") return [];
    return redis
        .filter(({ coveredShare }) => coveredShare < MIN_REDIS_COVERAGE)
        .map(
            ({ name, coveredShare }) =>
                `Redis ${name}: only ${Math.floor(coveredShare * 100)} % of its samples exist`,
        );
}

function quantilesOf(buckets: Buckets): Quantiles {
    const of = (fraction: number) => quantileOf(buckets, fraction) ?? null;
    const answers = buckets.find(([bound]) => bound === Infinity)?.[1] ?? null;
    return { answers, p50: of(0.5), p95: of(0.95), p99: of(0.99) };
}

function tenantsOf(totals: Totals): Tenant[] {
    const names = new Set([
        ...totals.values(METRICS.tokensSaved, "tenant"),
        ...totals.values(METRICS.tokensBilled, "tenant"),
    ]);
    const used = (tenant: Tenant) =>
        (addMeasured(Object.values(tenant.tokensSaved)) ?? 0) + (tenant.tokensBilled ?? 0);
    return [...names]
        .map((tenant): Tenant => {
            const tokensSaved = totals.byTier(METRICS.tokensSaved, HIT_TIERS, { tenant });
            const saved = addMeasured(Object.values(tokensSaved));
            const missed = totals.sum(
                METRICS.tokensBilled,
                ({ tenant: one, purpose = "" }: Labels) => one === tenant && isForRequests(purpose),
            );
            return {
                tenant,
                hitRate: ratio(saved, add(saved, missed)),
                tokensSaved,
                tokensBilled: totals.sum(METRICS.tokensBilled, { tenant }),
                dollarsSaved: totals.sum(METRICS.costSaved, { tenant }),
                dollarsBilled: totals.sum(METRICS.costBilled, { tenant }),
                rejectedRequests: totals.sum(METRICS.rejected, { tenant }),
            };
        })
        .sort((a, b) => used(b) - used(a) || (a.tenant < b.tenant ? -1 : 1));
}

function costOf(totals: Totals, { window, scrapes, counts }: ReportArgs, state: State) {
    const billed = (purpose: Purpose): Figure => totals.sum(METRICS.costBilled, { purpose });
    const billedByPurpose = Object.fromEntries(
        PURPOSES.map((purpose) => [purpose, billed(purpose)]),
    );
    // A version may lack some of these purposes, but not the cost of misses.
    const billedForRequests =
        billed("request") === null ? null : addMeasured(REQUEST_PURPOSES.map(billed));
    const billedForCache = add(
        ...PURPOSES.filter((purpose) => !isForRequests(purpose)).map(billed),
    );
    const saved = totals.sum(METRICS.costSaved);
    const { pod: pods, storage } = overheadOf(counts.processes, window, scrapes.intervalSeconds);
    const net = add(saved, ...[billedForCache, pods, storage].map((one) => negate(one)));
    const hours = (window.to - window.from) / 3600;
    return {
        savedByTier: totals.byTier(METRICS.costSaved, HIT_TIERS),
        saved,
        billedByPurpose,
        billedForRequests,
        billedForCache,
        pods,
        storage,
        net,
        reduction: ratio(saved, add(saved, billedForRequests)),
        netPerMonth: state === "complete" && net !== null ? (net / hours) * HOURS_PER_MONTH : null,
    };
}

function formatHour({ from, growth, isPartial }: HourCounts): Hour {
    const of = (figure: string): Figure => growth?.get(figure) ?? null;
    const hits = addMeasured(HIT_TIERS.map((tier) => of(`lookups ${resultOf(tier)}`)));
    const lookups = add(hits, of(`lookups ${resultOf(MISS)}`));
    const answers = [...(growth ?? [])].flatMap(([figure, count]) => {
        const [, le] = /^answers (.+)$/.exec(figure) ?? [];
        return le === undefined ? [] : [[parseBound(le), count] as const];
    });
    return {
        from: formatTime(from),
        lookups,
        hitRate: ratio(hits, lookups),
        dollarsSaved: of("saved"),
        dollarsBilled: of("billed"),
        serverErrors: of("serverErrors"),
        overloaded: of("overloaded"),
        p95: quantileOf(answers, 0.95) ?? null,
        isPartial,
    };
}

const NO_SERIES = "Prometheus has no series of it in the window";

function findNotMeasured(
    { lookups, upstream, cost, errors, latency, tenants }: Figures,
    { hours, redis, hotKeys, counts }: ReportArgs,
): Report["notMeasured"] {
    const figures: readonly (readonly [string, Figure | undefined])[] = [
        ["Lookups and hit rate", lookups.total],
        ...Object.entries(lookups.byTier).map(
            ([tier, figure]) => [`Lookups with ${tier}`, figure] as const,
        ),
        ["Response times", latency.all.answers],
        ["Savings", cost.saved],
        ["Cost of requests", cost.billedForRequests],
        ...Object.entries(cost.billedByPurpose).map(
            ([purpose, figure]) => [`Cost of upstream calls for ${purpose}`, figure] as const,
        ),
        ["Cost of pods", cost.pods],
        ["Cost of storage", cost.storage],
        ["Upstream calls", upstream.calls],
        ["Tokens billed", upstream.tokensBilled],
        ["Tokens saved", upstream.tokensSaved],
        ["Failed upstream attempts", upstream.failedAttempts],
        ["Requests", errors.requests],
        ["Errors of Redis", errors.redisErrors],
    ];
    const missing = figures.flatMap(([figure, value]) =>
        value === null || value === undefined ? [{ figure, reason: NO_SERIES }] : [],
    );
    const others = tenants.some(({ tenant }) => tenant === OTHER_TENANTS);
    const reasons: readonly (readonly [string, string | false])[] = [
        ["Figures by hour", typeof hours === "string" && hours],
        [
            "Redis memory and evictions",
            typeof redis === "string"
                ? redis
                : redis.length === 0 && "no Redis exporter is scraped",
        ],
        ["Hot keys", typeof hotKeys === "string" && hotKeys],
        [
            "Single tenants beyond a pod's first 500",
            others && `they are combined as ${OTHER_TENANTS}`,
        ],
    ];
    const known = counts.growths.length > 0;
    return [
        // Without any process, the gap says it for all of them.
        ...(known ? missing : [{ figure: "All figures of the service", reason: "see the gaps" }]),
        ...reasons.flatMap(([figure, reason]) => (reason === false ? [] : [{ figure, reason }])),
    ];
}

/** Figures of the ghost caches that are not measured, if the service is. */
function findUnknownCurves(
    { missReasons, ttlCurve, localCacheCurve, feedback }: Figures,
    { growths, leftOut }: Counts,
    curveGap: string | undefined,
): Report["notMeasured"] {
    if (growths.length === 0) return [];
    const reasonOf = (name: string) => leftOut.get(name) ?? NO_SERIES;
    const entry = (figure: string, isKnown: boolean, reason: string) =>
        isKnown ? [] : [{ figure, reason }];
    const known = (ttlCurve?.points ?? []).filter(({ hitRate }) => hitRate !== null);
    return [
        ...entry(
            "Reasons of misses",
            missReasons.shares.cold !== null,
            missReasons.sampled === 0
                ? "no lookup of a sampled key missed"
                : (leftOut.get(METRICS.misses) ?? curveGap ?? NO_SERIES),
        ),
        ...entry(
            "Costs of other lifetimes of entries",
            ttlCurve !== null,
            leftOut.get(METRICS.ghostFetches) ?? curveGap ?? NO_SERIES,
        ),
        ...entry(
            "Costs of longer lifetimes of entries",
            ttlCurve === null || known.length === ttlCurve.points.length,
            `requests are known for ${formatDays(ttlCurve?.memorySeconds ?? NaN)} only`,
        ),
        ...entry(
            "Hit rates of other sizes of the local cache",
            localCacheCurve !== null,
            reasonOf(`${METRICS.ghostReuseDistance}_bucket`),
        ),
        ...entry("Feedback of clients", feedback.relevant !== null, reasonOf(METRICS.feedback)),
    ];
}
