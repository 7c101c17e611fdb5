import { SAVING_RESULTS, type CacheResult } from "@property-search/contract";
import { formatTime, type Report } from "../analysis/report.ts";
import { addMeasured, ratio } from "../analysis/totals.ts";
import type { Gap } from "../prometheus/processes.ts";
import { downsample, mergeBins, type Bin, type ImpactEvent } from "./bin.ts";
import { countLookups, feedbackOf, quantileIn, versionsOf } from "./derived.ts";
import { read, readAll, type Figures } from "./figures.ts";
import { DAY_SECONDS, HOUR_SECONDS, type HourStore } from "./hourStore.ts";
import { costOf, costWithoutCache, figuresOfReport, moneyOf, runningCost } from "./money.ts";
import { formatPercent } from "../report/format.ts";
import { floorTo, type LiveReading } from "./recorder.ts";
import {
    RANGES,
    type Figure,
    type ImpactView,
    type LatestDecisions,
    type Measured,
    type RangeName,
    type SeriesName,
    type SeriesOfView,
} from "./view.ts";

export interface ViewArgs {
    readonly range: RangeName;
    readonly store: Pick<HourStore, "hours" | "days">;
    /** Minutes of the latest 25 hours, without those of `live`. */
    readonly minutes: readonly Bin[];
    readonly live: LiveReading;
    readonly isLoading: boolean;
    /** Daily reports, for days whose hours were not read. */
    readonly reports: readonly Report[];
    /** Decisions of the tuner. */
    readonly tuning: readonly ImpactEvent[];
    /** Its latest decisions, by setting. */
    readonly latestDecisions: Readonly<Record<string, LatestDecisions>>;
    /** Unix seconds. */
    readonly now: number;
}

/** A month and a year of the projections. */
const MONTH_SECONDS = 30 * DAY_SECONDS;
const YEAR_SECONDS = 365 * DAY_SECONDS;
/** The run rate is that of the latest days: a week has each day of the week once. */
const RUN_RATE_DAYS = 7;
const MAX_EVENTS = 500;
const MAX_GAPS = 200;

export function createView(args: ViewArgs): ImpactView {
    const { live, isLoading, now } = args;
    const { seconds, stepSeconds } = RANGES[args.range];
    const to = live.to;
    const from = floorTo(to - seconds, stepSeconds);
    const bins = binsOf(args, from);
    const whole = mergeBins(bins);
    const figures = whole?.figures ?? {};
    const of = (name: string) => read(figures, name);
    const money = moneyOf(figures);
    const gaps = gapsOf(args, from);
    const events = eventsOf(args, from, bins);
    const lookups = countLookups(figures);
    const measured = of("seconds") ?? 0;
    const scaling = (prefix: string) =>
        events.filter(({ kind, text }) => kind === "scaling" && text.startsWith(prefix)).length;
    const view: Omit<ImpactView, "notMeasured"> = {
        schema: "property-search/impact",
        schemaVersion: 1,
        generatedAt: formatTime(now),
        range: {
            name: args.range,
            stepSeconds,
            ...measuredOf(whole, { from: whole?.from ?? from, to }),
        },
        isLoading,
        outage: live.outage ?? null,
        toDate: toDateOf(args),
        runRate: runRateOf(args),
        money,
        hasPrices:
            money.pods === null || money.storage === null
                ? null
                : money.pods > 0 || money.storage > 0,
        queries: {
            total: lookups.total,
            cost: ratio(costOf(money), lookups.total),
            costWithoutCache: ratio(costWithoutCache(money), lookups.total),
        },
        hitRate: {
            total: ratio(lookups.hits, lookups.total),
            byResult: readAll(figures, "lookups"),
            ...missReasonsOf(figures, lookups.total),
        },
        latency: {
            mean: ratio(of("responseSeconds"), of("responses")),
            p95: quantileIn(figures, 0.95),
            responses: of("responses"),
        },
        feedback: feedbackOf(figures, "feedback"),
        semantic: {
            answers: of("semantic served"),
            audits: of("semantic audited"),
            errorBound: live.state.errorBound,
            errorBudget: live.state.errorBudget,
            overlap: live.state.overlap,
            feedback: feedbackOf(figures, "semanticFeedback"),
        },
        traffic: {
            requests: of("requests"),
            perSecond: ratio(of("requests"), measured),
            serverErrors: of("serverErrors"),
            concurrentMean: ratio(of("busySeconds"), measured),
            concurrentPeak: whole?.peaks.inFlight ?? null,
        },
        capacity: {
            podsNow: live.state.pods,
            podsMean: ratio(addMeasured(Object.values(readAll(figures, "podSeconds"))), measured),
            cpuCores: ratio(of("cpuSeconds"), measured),
            cpuShare: ratio(of("cpuOfOffered"), of("cpuOffered")),
            podsAdded: scaling("Added"),
            podsRemoved: scaling("Removed"),
            restarts: scaling("Restarted"),
        },
        settings: settingsOf(args),
        versions: versionsOf(bins),
        events: events
            .slice(-MAX_EVENTS)
            .map(({ at, kind, text }) => ({ at: formatTime(at), kind, text })),
        eventsLeftOut: Math.max(0, events.length - MAX_EVENTS),
        gaps: gaps.slice(-MAX_GAPS).map(({ from: begin, to: end, pod, reason }) => ({
            from: formatTime(begin),
            to: formatTime(end),
            pod: pod ?? null,
            reason,
        })),
        gapsLeftOut: Math.max(0, gaps.length - MAX_GAPS),
        series: seriesOf(bins, { from, to, stepSeconds }),
    };
    return { ...view, notMeasured: findNotMeasured(view) };
}

/** Reasons of misses are not shown if the history of more queries is not known. */
const MAX_DROPPED_SHARE = 0.01;

function missReasonsOf(figures: Figures, queries: Figure) {
    const reasons = readAll(figures, "misses");
    const droppedShare = ratio(read(figures, "ghostDropped"), queries);
    const isKnown = droppedShare !== null && droppedShare <= MAX_DROPPED_SHARE;
    return {
        missReasons: isKnown ? noneIfEmpty(reasons) : null,
        unclassifiedShare: isKnown
            ? ratio(read(reasons, "unknown") ?? 0, addMeasured(Object.values(reasons)))
            : null,
        droppedShare,
    };
}

function settingsOf({ live, latestDecisions }: ViewArgs): ImpactView["settings"] {
    const bySetting = Map.groupBy(live.state.settings, ({ setting }) => setting);
    return [...bySetting].map(([setting, values]) => ({
        setting,
        inForce: values
            .filter(({ source }) => source !== "default")
            .map(({ source, lowest, highest }) => ({ source, lowest, highest })),
        default: values.find(({ source }) => source === "default")?.highest ?? null,
        tuner: latestDecisions[setting] ?? { latest: null, changed: null },
    }));
}

/** Bins of the range, as fine as its plots need them. */
function binsOf({ range, store, minutes, live }: ViewArgs, from: number): readonly Bin[] {
    const { stepSeconds } = RANGES[range];
    const after = ({ from: begin }: Bin) => begin >= from;
    if (stepSeconds < HOUR_SECONDS) {
        // After a start, minutes are read hour by hour; until then, the sums are those of the stored hours.
        const known = new Set(minutes.map((bin) => floorTo(bin.from, HOUR_SECONDS)));
        const whole = store
            .hours(from, live.from)
            .flatMap(({ from: hour, bin }) => (bin === null || known.has(hour) ? [] : [bin]));
        return [...whole, ...minutes, ...live.bins].filter(after).sort((a, b) => a.from - b.from);
    }
    const recent = downsample(live.bins, HOUR_SECONDS);
    if (stepSeconds < DAY_SECONDS) {
        const hours = store.hours(from, live.from).flatMap(({ bin }) => bin ?? []);
        return [...hours, ...recent].filter(after);
    }
    const days = store.days().flatMap(({ bin }) => bin ?? []);
    return [...days, ...recent].filter(after);
}

function gapsOf({ range, store, live }: ViewArgs, from: number): readonly Gap[] {
    const stored = store.hours(from - HOUR_SECONDS, live.from).flatMap(({ gaps }) => gaps);
    const all = RANGES[range].stepSeconds < DAY_SECONDS ? [...stored, ...live.gaps] : live.gaps;
    return joinGaps(all.filter(({ to }) => to > from));
}

/** A gap of several hours was read hour by hour. */
function joinGaps(gaps: readonly Gap[]): readonly Gap[] {
    const joined: Gap[] = [];
    for (const gap of gaps) {
        const before = joined.findIndex(
            ({ pod, reason, to }) =>
                pod === gap.pod && reason === gap.reason && Math.abs(to - gap.from) < 1,
        );
        const earlier = joined[before];
        if (earlier) joined[before] = { ...earlier, to: gap.to };
        else joined.push(gap);
    }
    return joined.sort((a, b) => a.from - b.from);
}

function eventsOf(
    { store, live, tuning }: ViewArgs,
    from: number,
    bins: readonly Bin[],
): readonly ImpactEvent[] {
    const stored = store.days().flatMap(({ events }) => events);
    return [...stored, ...live.events, ...tuning, ...firstServed(bins)]
        .filter(({ at }) => at >= from && at <= live.to)
        .sort((a, b) => a.at - b.at);
}

/** Versions that begin to answer requests in the range, with a time that is that of a bin. */
function firstServed(bins: readonly Bin[]): readonly ImpactEvent[] {
    const begins = bins[0]?.from;
    return versionsOf(bins).flatMap(({ colour, version, firstServed: at }): ImpactEvent[] => {
        const seconds = Date.parse(at) / 1000;
        if (seconds === begins) return [];
        return [{ at: seconds, kind: "release", text: `${version} (${colour}) begins to serve` }];
    });
}

function measuredOf(
    bin: Pick<Bin, "figures" | "isPartial"> | undefined,
    { from, to }: { from: number; to: number },
): Measured {
    const measuredSeconds = bin?.figures.seconds ?? 0;
    const isComplete = !(bin?.isPartial ?? true) && measuredSeconds >= (to - from) * 0.999;
    return {
        from: formatTime(from),
        to: formatTime(to),
        measuredSeconds,
        state: measuredSeconds === 0 ? "not measured" : isComplete ? "complete" : "partial",
    };
}

/** All recorded hours, the time since, and reports of days of which no hour was recorded. */
function toDateOf({ store, live, reports }: ViewArgs): ImpactView["toDate"] {
    const recorded = [...store.days().flatMap(({ bin }) => bin ?? []), ...live.bins];
    const reported = uncoveredReports(reports, recorded);
    const all = mergeBins([...recorded, ...reported]);
    const figures = all?.figures ?? {};
    const reportedLookups = read(figures, "lookups reported");
    const { total } = countLookups(figures);
    return {
        ...measuredOf(all, { from: all?.from ?? live.to, to: live.to }),
        ...moneyOf(figures),
        daysFromReports: reported.length,
        queries: reportedLookups === null ? total : addMeasured([total, reportedLookups]),
    };
}

/** Reports that do not overlap any recorded time, nor each other. */
function uncoveredReports(reports: readonly Report[], recorded: readonly Bin[]): readonly Bin[] {
    const taken: { readonly from: number; readonly to: number }[] = [...recorded];
    const chosen: Bin[] = [];
    for (const report of reports) {
        const window = {
            from: Date.parse(report.window.from) / 1000,
            to: Date.parse(report.window.to) / 1000,
        };
        if (report.completeness.state === "not measured") continue;
        if (taken.some(({ from, to }) => from < window.to && to > window.from)) continue;
        taken.push(window);
        chosen.push({
            ...window,
            figures: figuresOfReport(report),
            peaks: {},
            isPartial: report.completeness.state === "partial",
        });
    }
    return chosen;
}

/**
 * Net savings of the latest measured days, per second. Of more than one day, only whole days count, since the traffic of a day
 * is not that of a night.
 */
function runRateOf({ store, live }: ViewArgs): ImpactView["runRate"] {
    const begin = live.to - RUN_RATE_DAYS * DAY_SECONDS;
    const hours = [
        ...store.hours(begin, live.from).flatMap(({ bin }) => bin ?? []),
        ...downsample(live.bins, HOUR_SECONDS),
    ].filter(({ from }) => from >= begin);
    const first = hours[0]?.from ?? live.to;
    const wholeDays = Math.floor((live.to - first) / DAY_SECONDS);
    // Begins of hours do not lie a whole number of days before now: the window begins with the next one.
    const from = wholeDays < 1 ? first : live.to - wholeDays * DAY_SECONDS;
    const bin = mergeBins(hours.filter((hour) => hour.from >= from));
    const figures: Figures = bin?.figures ?? {};
    const perSecond = ratio(read(figures, "net"), read(figures, "netSeconds"));
    const times = (seconds: number) => (perSecond === null ? null : perSecond * seconds);
    return {
        ...measuredOf(bin, { from: bin?.from ?? live.to, to: live.to }),
        netPerMonth: times(MONTH_SECONDS),
        netPerYear: times(YEAR_SECONDS),
        isProvisional: (figures.netSeconds ?? 0) < 0.95 * DAY_SECONDS,
    };
}

const noneIfEmpty = <T extends object>(values: T): T | null =>
    Object.keys(values).length === 0 ? null : values;

interface Grid {
    readonly from: number;
    readonly to: number;
    readonly stepSeconds: number;
}

/** A point needs data of half of its time. */
const MIN_MEASURED_SHARE = 0.5;

/** Points of the plots, at equal distances. */
function seriesOf(bins: readonly Bin[], { from, to, stepSeconds }: Grid): SeriesOfView {
    const points = new Map(
        downsample(bins, stepSeconds).map((bin) => [floorTo(bin.from, stepSeconds), bin]),
    );
    const steps: number[] = [];
    for (let at = floorTo(from, stepSeconds); at < to; at += stepSeconds) steps.push(at);
    const figuresAt = steps.map((at): Bin | undefined => {
        const bin = points.get(at);
        const length = Math.min(at + stepSeconds, to) - at;
        const seconds = bin?.figures.seconds ?? 0;
        // A bin that was merged with later ones covers more than its step.
        const isMerged = bin !== undefined && bin.to - at > stepSeconds;
        return isMerged || seconds < length * MIN_MEASURED_SHARE ? undefined : bin;
    });
    const each = (value: (bin: Bin) => Figure): readonly Figure[] =>
        figuresAt.map((bin) => (bin === undefined ? null : value(bin)));
    const names = (prefix: string) =>
        [...new Set(bins.flatMap(({ figures }) => Object.keys(readAll(figures, prefix))))].sort();
    const perSecond = (name: string) => (bin: Bin) =>
        ratio(read(bin.figures, name), bin.figures.seconds ?? 0);
    const netUntil = (end: number): Figure =>
        addMeasured(
            bins.filter((bin) => bin.from < end).map(({ figures }) => read(figures, "net")),
        );
    return {
        from: steps,
        to: steps.map((at) => Math.min(at + stepSeconds, to)),
        seconds: figuresAt.map((bin) => bin?.figures.seconds ?? 0),
        values: {
            ...(Object.fromEntries(
                Object.entries(VALUES).map(([name, value]) => [name, each(value)]),
            ) as Omit<SeriesOfView["values"], "netSum">),
            netSum: steps.map((at, index) =>
                figuresAt[index] === undefined ? null : netUntil(at + stepSeconds),
            ),
        },
        versions: Object.fromEntries(
            names("served").map((name) => [
                name,
                each(({ figures }) =>
                    ratio(figures[`served ${name}`] ?? 0, read(figures, "requests")),
                ),
            ]),
        ),
        pods: Object.fromEntries(
            names("podSeconds").map((colour) => [
                colour,
                each((bin) => perSecond(`podSeconds ${colour}`)(bin) ?? 0),
            ]),
        ),
    };
}

const shareOf =
    (...results: readonly CacheResult[]) =>
    ({ figures }: Bin): Figure =>
        ratio(
            addMeasured(results.map((result) => read(figures, `lookups ${result}`))),
            countLookups(figures).total,
        );

const rateOf =
    (name: string) =>
    ({ figures }: Bin): Figure =>
        ratio(read(figures, name), figures.seconds ?? 0);

const VALUES: Readonly<Record<Exclude<SeriesName, "netSum">, (bin: Bin) => Figure>> = {
    saved: ({ figures }) => read(figures, "saved"),
    cost: ({ figures }) => runningCost(moneyOf(figures)),
    net: ({ figures }) => read(figures, "net"),
    hitRate: shareOf(...SAVING_RESULTS),
    hitL1: shareOf("hit_l1"),
    hitL2: shareOf("hit_l2"),
    semantic: shareOf("semantic"),
    otherHits: shareOf("coalesced", "stale"),
    miss: shareOf("miss"),
    mean: ({ figures }) => ratio(read(figures, "responseSeconds"), read(figures, "responses")),
    p95: ({ figures }) => quantileIn(figures, 0.95),
    requestsPerSecond: rateOf("requests"),
    textsPerSecond: ({ figures }) => ratio(countLookups(figures).total, figures.seconds ?? 0),
    errorShare: ({ figures }) => ratio(read(figures, "serverErrors"), read(figures, "requests")),
    concurrentMean: rateOf("busySeconds"),
    concurrentPeak: ({ peaks }) => peaks.inFlight ?? null,
    cpuShare: ({ figures }) => ratio(read(figures, "cpuOfOffered"), read(figures, "cpuOffered")),
    cpuCores: rateOf("cpuSeconds"),
    relevantShare: ({ figures }) => feedbackOf(figures, "feedback").share,
};

function findNotMeasured(view: Omit<ImpactView, "notMeasured">): ImpactView["notMeasured"] {
    const { money, queries, latency, feedback, semantic, traffic, capacity, hitRate } = view;
    const noSeries = "Prometheus has no series of it in this time";
    const figures: readonly (readonly [string, Figure, string])[] = [
        ["Savings", money.saved, noSeries],
        ["Cost of pods", money.pods, noSeries],
        ["Cost of storage", money.storage, noSeries],
        ["Queries", queries.total, noSeries],
        [
            "Reasons of misses",
            addMeasured(Object.values(hitRate.missReasons ?? {})),
            hitRate.droppedShare === null || hitRate.droppedShare <= MAX_DROPPED_SHARE
                ? "the running version does not count them"
                : `Redis was unavailable for ${formatPercent(hitRate.droppedShare)} of the queries, so their history is unknown`,
        ],
        [
            "Settings in force",
            view.settings.length === 0 ? null : view.settings.length,
            "no pod exports them now",
        ],
        ["Response times", latency.responses, noSeries],
        ["Satisfaction", feedback.relevant, "the running version does not count feedback"],
        [
            "Error bound of semantic answers",
            semantic.errorBound,
            "semantic reuse is off, or has not answered yet",
        ],
        [
            "Overlap@10 of semantic answers",
            semantic.overlap,
            "the pods do not export it, or have not labelled enough answers",
        ],
        ["Requests", traffic.requests, noSeries],
        ["Requests at the same time, highest sample", traffic.concurrentPeak, noSeries],
        [
            "CPU in use, of its limit",
            capacity.cpuShare,
            "kube-state-metrics exports no limits of the pods",
        ],
    ];
    return [
        ...figures.flatMap(([figure, value, reason]) =>
            value === null ? [{ figure, reason }] : [],
        ),
        { figure: "Users", reason: "the service knows requests, but not the people behind them" },
    ];
}
