import { formatTime } from "../analysis/report.ts";
import { ratio } from "../analysis/totals.ts";
import type { Card, ReportDocument } from "../report/document.ts";
import {
    formatCount,
    formatDollars,
    formatMilliseconds,
    formatMoment,
    formatPercent,
    formatSpan,
} from "../report/format.ts";
import type { Section } from "../report/section.ts";
import { mergeBins, type Bin, type ImpactEvent } from "./bin.ts";
import { countLookups, feedbackOf, quantileIn, versionsOf } from "./derived.ts";
import { read } from "./figures.ts";
import { DAY_SECONDS, formatDay, type DayRecord } from "./hourStore.ts";
import { costOf, costWithoutCache, moneyOf } from "./money.ts";
import { floorTo } from "./recorder.ts";
import type { Feedback, Figure, ImpactView, Measured, Money } from "./view.ts";

/** A calendar month in UTC, of `/impact/api/months/YYYY-MM`. */
export interface Month extends Measured {
    readonly schema: "property-search/impact-month";
    readonly schemaVersion: 1;
    readonly month: string;
    /** Whether the month has ended. */
    readonly hasEnded: boolean;
    readonly money: Money;
    readonly queries: Figure;
    readonly costPerQuery: Figure;
    readonly costPerQueryWithoutCache: Figure;
    readonly hitRate: Figure;
    readonly mean: Figure;
    readonly p95: Figure;
    readonly responses: Figure;
    readonly requests: Figure;
    readonly serverErrors: Figure;
    readonly feedback: Feedback;
    readonly versions: ImpactView["versions"];
    readonly days: readonly MonthDay[];
    readonly events: readonly {
        readonly at: string;
        readonly kind: string;
        readonly text: string;
    }[];
}

/** Figures of a day; null: not measured. */
export interface MonthDay {
    readonly day: string;
    readonly measuredSeconds: number;
    readonly isPartial: boolean;
    readonly saved: Figure;
    readonly net: Figure;
    readonly queries: Figure;
    readonly hitRate: Figure;
    readonly p95: Figure;
}

/** Most events of the monthly report; releases and decisions are before pods. */
const MAX_EVENTS = 60;

/** @returns months with data, latest first */
export const listMonths = (days: readonly DayRecord[]): readonly string[] =>
    [...new Set(days.filter(({ bin }) => bin).map(({ from }) => formatDay(from).slice(0, 7)))]
        .sort()
        .reverse();

/**
 * @param month such as 2026-11
 * @param now Unix seconds
 * @returns undefined if nothing was measured
 */
export function createMonth(
    month: string,
    all: readonly DayRecord[],
    tuning: readonly ImpactEvent[],
    now: number,
): Month | undefined {
    const begin = Date.parse(`${month}-01T00:00:00Z`) / 1000;
    const next = new Date(begin * 1000);
    next.setUTCMonth(next.getUTCMonth() + 1);
    const to = next.getTime() / 1000;
    // In the month in which the service was installed, the days before are no gap.
    const from = Math.max(begin, all.find(({ bin }) => bin)?.bin?.from ?? begin);
    const days = all.filter((day) => day.from >= begin && day.from < to);
    const bins = days.flatMap(({ bin }) => bin ?? []);
    const whole = mergeBins(bins);
    if (!whole) return undefined;
    const { figures } = whole;
    const money = moneyOf(figures);
    const lookups = countLookups(figures);
    const end = Math.min(to, now);
    const measuredSeconds = figures.seconds ?? 0;
    const isComplete = !whole.isPartial && measuredSeconds >= (end - from) * 0.999;
    const events = [...days.flatMap((day) => day.events), ...tuning]
        .filter(({ at }) => at >= begin && at < to)
        .sort((a, b) => a.at - b.at);
    return {
        schema: "property-search/impact-month",
        schemaVersion: 1,
        month,
        hasEnded: now >= to,
        from: formatTime(from),
        to: formatTime(end),
        measuredSeconds,
        state: isComplete ? "complete" : "partial",
        money,
        queries: lookups.total,
        costPerQuery: ratio(costOf(money), lookups.total),
        costPerQueryWithoutCache: ratio(costWithoutCache(money), lookups.total),
        hitRate: ratio(lookups.hits, lookups.total),
        mean: ratio(read(figures, "responseSeconds"), read(figures, "responses")),
        p95: quantileIn(figures, 0.95),
        responses: read(figures, "responses"),
        requests: read(figures, "requests"),
        serverErrors: read(figures, "serverErrors"),
        feedback: feedbackOf(figures, "feedback"),
        versions: versionsOf(bins),
        days: daysOf(days, from, end),
        events: events
            .filter(({ kind }) => kind !== "scaling")
            .slice(-MAX_EVENTS)
            .map(({ at, kind, text }) => ({ at: formatTime(at), kind, text })),
    };
}

/** Each day from the first one until now, measured or not. */
function daysOf(days: readonly DayRecord[], from: number, end: number): readonly MonthDay[] {
    const bins = new Map(days.map((day): [number, Bin | undefined] => [day.from, day.bin]));
    const all: MonthDay[] = [];
    for (let day = floorTo(from, DAY_SECONDS); day < end; day += DAY_SECONDS) {
        const bin = bins.get(day);
        const figures = bin?.figures ?? {};
        const lookups = countLookups(figures);
        const length = Math.min(day + DAY_SECONDS, end) - Math.max(day, from);
        all.push({
            day: formatDay(day),
            measuredSeconds: figures.seconds ?? 0,
            isPartial:
                bin !== undefined && (bin.isPartial || (figures.seconds ?? 0) < length * 0.999),
            saved: read(figures, "saved"),
            net: read(figures, "net"),
            queries: lookups.total,
            hitRate: ratio(lookups.hits, lookups.total),
            p95: quantileIn(figures, 0.95),
        });
    }
    return all;
}

/** The monthly report for HTML and Markdown. */
export function createMonthDocument(month: Month): ReportDocument {
    return {
        title: `What the embedding cache earned in ${monthName(month.month)}`,
        period: `${formatMoment(month.from)} to ${formatMoment(month.to)}${month.hasEnded ? "" : " (the month has not ended)"}`,
        summary: summaryOf(month),
        cards: cardsOf(month),
        sections: [
            moneySection(month),
            daysSection(month),
            versionsSection(month),
            eventsSection(month),
        ],
    };
}

export const monthName = (month: string): string =>
    new Date(`${month}-01T00:00:00Z`).toLocaleDateString("en-US", {
        month: "long",
        year: "numeric",
        timeZone: "UTC",
    });

function summaryOf({ money, queries, state, measuredSeconds, hitRate }: Month): readonly string[] {
    const earned =
        money.net === null
            ? `The cache saved ${formatDollars(money.saved)} of upstream cost; what it earned after its own cost is not measured.`
            : `The cache saved ${formatDollars(money.saved)} of upstream cost, and earned ${formatDollars(money.net)} after its own cost.`;
    return [
        earned,
        `It answered ${formatPercent(hitRate)} of ${formatCount(queries)} queries without a new upstream call.`,
        ...(state === "complete"
            ? []
            : [
                  `${formatSpan(measuredSeconds)} of this time were measured, not all of it. Counts are of the measured time.`,
              ]),
    ];
}

function cardsOf(month: Month): readonly Card[] {
    const { money, costPerQuery, costPerQueryWithoutCache, hitRate, mean, p95, feedback } = month;
    return [
        {
            title: "Net savings",
            value: formatDollars(money.net),
            note: "after the cost of running",
        },
        {
            title: "Cost per query",
            value: formatDollars(costPerQuery),
            note: `without the cache: ${formatDollars(costPerQueryWithoutCache)}`,
        },
        { title: "Hit rate", value: formatPercent(hitRate), note: "of the queries" },
        {
            title: "Response time",
            value: formatMilliseconds(mean),
            note: `mean; 95 of 100 are faster than ${formatMilliseconds(p95)}`,
        },
        {
            title: "Satisfaction",
            value: formatPercent(feedback.share),
            note:
                feedback.share === null
                    ? "no feedback was given"
                    : `of ${formatCount((feedback.relevant ?? 0) + (feedback.irrelevant ?? 0))} verdicts`,
        },
    ];
}

function moneySection({ money }: Month): Section {
    return {
        title: "Savings and cost",
        text: [
            "Saved is what the upstream would have charged for queries that the cache answered. Misses would cost the same without a cache.",
        ],
        tables: [
            {
                caption: "Dollars in this month",
                columns: ["Part", "Dollars"],
                rows: [
                    ["Saved", formatDollars(money.saved)],
                    [
                        "Upstream: refreshes, warm-ups and probes",
                        formatDollars(money.billedForCache),
                    ],
                    ["Pods", formatDollars(money.pods)],
                    ["Storage", formatDollars(money.storage)],
                    ["Net savings", formatDollars(money.net)],
                    ["Upstream: misses (not subtracted)", formatDollars(money.billedForRequests)],
                ],
            },
        ],
    };
}

function daysSection({ days }: Month): Section {
    const mark = ({ isPartial }: MonthDay) => (isPartial ? " (partial)" : "");
    return {
        title: "Days",
        text: ["Days are in UTC. A partial day lacks some of its time."],
        chart: {
            title: "Queries per day",
            points: days.map((day) => ({
                label: day.day.slice(8),
                value: day.queries,
                text: `${formatCount(day.queries)} queries, net savings ${formatDollars(day.net)}${mark(day)}`,
            })),
        },
        tables: [
            {
                caption: "Figures by day",
                columns: ["Day", "Net savings", "Queries", "Hit rate", "p95"],
                rows: days.map((day) => [
                    `${day.day}${mark(day)}`,
                    formatDollars(day.net),
                    formatCount(day.queries),
                    day.queries === 0 ? "no queries" : formatPercent(day.hitRate),
                    day.queries === 0 ? "no queries" : formatMilliseconds(day.p95),
                ]),
            },
        ],
    };
}

function versionsSection({ versions }: Month): Section {
    return {
        title: "Versions",
        text: [],
        tables: [
            {
                caption: "Versions that answered requests",
                columns: ["Version", "Colour", "Requests", "First day", "Last day"],
                rows: versions.map((one) => [
                    one.version,
                    one.colour,
                    formatCount(one.requests),
                    one.firstServed.slice(0, 10),
                    one.lastServed.slice(0, 10),
                ]),
            },
        ],
    };
}

function eventsSection({ events }: Month): Section {
    return {
        title: "Releases, experiments and tuning",
        text: events.length === 0 ? ["None in this month."] : [],
        tables: [
            {
                caption: "What changed",
                columns: ["When", "What"],
                rows: events.map(({ at, text }) => [formatMoment(at), text]),
                isText: true,
            },
        ],
    };
}
