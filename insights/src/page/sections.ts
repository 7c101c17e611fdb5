import type { Figure, ImpactView, SeriesName } from "../impact/view.ts";
import { RANGES } from "../impact/view.ts";
import {
    formatCount,
    formatDollars,
    formatMilliseconds,
    formatPercent,
    formatSpan,
} from "../report/format.ts";
import { element, table } from "./elements.ts";
import { cards, type CardContent } from "./figure.ts";
import { createPlot, type Plot, type PlotContent, type PlotLine } from "./plots.ts";
import {
    describeMeasured,
    formatDate,
    formatInstant,
    formatRate,
    isKnown,
    plural,
    TIME_ZONE,
} from "./words.ts";

/** Reports that can be opened. */
export interface Archive {
    readonly reports: readonly {
        readonly day: string;
        readonly state: string;
        readonly hitRate: Figure;
        readonly netDollars: Figure;
        readonly recommendations: number;
    }[];
    readonly months: readonly string[];
}

export interface Sections {
    readonly update: (view: ImpactView, archive: Archive) => void;
    /** Draws the plots again, after a change of the colour scheme. */
    readonly redraw: () => void;
}

/** A part of the page. Its plots stay when its figures change, so that focus and open tables do. */
interface SectionContent {
    readonly title: string;
    /** Whether it is hidden if nothing was measured in the range. */
    readonly needsData?: true;
    readonly intro?: (view: ImpactView) => string;
    readonly cards?: (view: ImpactView) => readonly CardContent[];
    readonly plots?: readonly ((view: ImpactView) => Omit<PlotContent, "from" | "to" | "events">)[];
    readonly more?: (view: ImpactView, archive: Archive) => readonly HTMLElement[];
}

const MAX_REPORTS = 14;
const MAX_LISTED = 12;

export function createSections(root: HTMLElement): Sections {
    const headline = element("div", { class: "headline" });
    const built = SECTIONS.map((content) => {
        const plots = (content.plots ?? []).map(() => createPlot());
        const title = element("h2", {}, content.title);
        const intro = element("p", { class: "intro" });
        const figures = element("div");
        const more = element("div", { class: "more" });
        const grid = element("div", { class: "plots" }, ...plots.map((plot) => plot.root));
        return {
            content,
            plots,
            parts: { title, intro, figures, more },
            section: element("section", {}, title, intro, figures, grid, more),
        };
    });
    root.append(headline, ...built.map(({ section }) => section));

    return {
        update: (view, archive) => {
            headline.replaceChildren(...headlineOf(view));
            const hasData = view.range.state !== "not measured";
            for (const { content, plots, parts, section } of built) {
                section.hidden = !hasData && content.needsData === true;
                if (section.hidden) continue;
                parts.intro.textContent = content.intro?.(view) ?? "";
                const all = content.cards?.(view) ?? [];
                parts.figures.replaceChildren(...(all.length > 0 ? [cards(...all)] : []));
                updatePlots(plots, content, view);
                const more = content.more?.(view, archive) ?? [];
                replaceUnlessFocused(parts.more, more);
            }
        },
        redraw: () => {
            for (const { plots } of built) for (const { redraw } of plots) redraw();
        },
    };
}

/** Focus within would be lost; the next update shows what has changed. */
function replaceUnlessFocused(parent: HTMLElement, children: readonly HTMLElement[]): void {
    if (parent.contains(document.activeElement)) return;
    const open = [...parent.querySelectorAll("details")].map((one) => one.open);
    parent.replaceChildren(...children);
    for (const [at, one] of [...parent.querySelectorAll("details")].entries())
        one.open = open[at] ?? false;
}

function updatePlots(plots: readonly Plot[], content: SectionContent, view: ImpactView): void {
    const { from, to } = view.series;
    const events = view.events.map(({ at, kind, text }) => ({
        ...{ kind, text },
        seconds: Date.parse(at) / 1000,
    }));
    for (const [at, plot] of plots.entries()) {
        const one = content.plots?.[at]?.(view);
        if (one) plot.update({ ...one, from, to, events });
    }
}

/** The answer in one sentence, and the four figures that people ask for. */
function headlineOf(view: ImpactView): readonly HTMLElement[] {
    const { toDate, runRate, queries, outage, isLoading, hasPrices, range } = view;
    const since = formatDate(toDate.from);
    const measured = describeMeasured(runRate);
    const sentence =
        toDate.state === "not measured"
            ? "No data yet. The first figures appear about a minute after the service has started."
            : toDate.net === null
              ? `Since ${since}, the cache has saved ${formatDollars(toDate.saved)} of upstream cost. What it earned after its own cost is not measured.`
              : toDate.net >= 0
                ? `Since ${since}, the cache has earned ${formatDollars(toDate.net)} after its own cost, by answering ${formatCount(toDate.queries)} queries.`
                : `Since ${since}, the cache has cost ${formatDollars(-toDate.net)} more than it saved.`;
    const notes = [
        ...(outage === null ? [] : [`The latest figures are missing: ${outage}.`]),
        ...(isLoading ? ["Earlier hours are still being read; the totals grow until then."] : []),
        ...(hasPrices === false
            ? ["The stack sets no price for pods and storage, so running the cache counts as free."]
            : []),
        ...(toDate.daysFromReports > 0
            ? [
                  `${plural(toDate.daysFromReports, "day is", "days are")} only known by the daily report.`,
              ]
            : []),
    ];
    const rate = (title: string, figure: Figure): CardContent => ({
        title,
        value: formatDollars(figure),
        note:
            figure === null
                ? "needs savings and all costs in the same time"
                : `at the rate of ${spanOf(runRate)} (${measured})`,
        mark: runRate.isProvisional && figure !== null ? "Provisional:" : undefined,
        isLarge: true,
        isUnknown: figure === null,
    });
    const message = [
        element("p", { class: "sentence" }, sentence),
        ...notes.map((text) => element("p", { class: "notice" }, text)),
    ];
    const words = RANGES[range.name].words;
    if (toDate.state === "not measured") return message;
    return [
        ...message,
        cards(
            {
                title: "Net savings to date",
                value: formatDollars(toDate.net),
                note: `since ${since}, ${describeMeasured(toDate)}`,
                isLarge: true,
                isUnknown: toDate.net === null,
            },
            rate("Net savings per month", runRate.netPerMonth),
            rate("Net savings per year", runRate.netPerYear),
            {
                title: "Cost per query",
                value: formatDollars(queries.cost),
                note:
                    queries.cost === null
                        ? "needs queries and all costs"
                        : `in the ${words}; without the cache ${formatDollars(queries.costWithoutCache)}`,
                isLarge: true,
                isUnknown: queries.cost === null,
            },
        ),
        element("h2", { class: "range" }, `In the ${words}`),
        element(
            "p",
            { class: "intro" },
            range.state === "not measured"
                ? "Nothing was measured in this time."
                : `${capitalize(describeMeasured(range))}. Times are in ${TIME_ZONE}. Dashed lines in the plots: releases, experiments and tuning. Gaps are times without data.`,
        ),
    ];
}

const capitalize = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const spanOf = ({ from, to }: { readonly from: string; readonly to: string }) =>
    `the last ${formatSpan((Date.parse(to) - Date.parse(from)) / 1000)}`;

const line = (
    { series }: ImpactView,
    name: SeriesName,
    label: string,
    colour: number,
    rest: Partial<PlotLine> = {},
): PlotLine => ({ label, values: series.values[name], colour, ...rest });

/** Numbers of the colours of lines, by the colour that their names begin with. */
const COLOURS: Readonly<Record<string, readonly number[]>> = { blue: [1, 4, 7], green: [3, 5, 2] };

/** Lines of values by name: colours, or versions of colours. */
function linesOf(
    values: Readonly<Record<string, readonly Figure[]>>,
    rest: Partial<PlotLine> = {},
): readonly PlotLine[] {
    const used = new Map<string, number>();
    return Object.entries(values).map(([label, list]) => {
        const [name = ""] = label.split(" ");
        const at = used.get(name) ?? 0;
        used.set(name, at + 1);
        const numbers = COLOURS[name] ?? [6];
        return { label, values: list, colour: numbers[at % numbers.length] ?? 6, ...rest };
    });
}

const figure = (
    title: string,
    value: Figure,
    format: (value: Figure) => string,
    note: string,
    unknown: string,
): CardContent => ({
    title,
    value: format(value),
    note: value === null ? unknown : note,
    isUnknown: value === null,
});

const RESULTS: Readonly<Record<string, string>> = {
    hit_l1: "Memory of the pod",
    hit_l2: "Redis, shared by all pods",
    semantic: "Predicted from similar texts",
    coalesced: "Shared with a request at the same time",
    stale: "Expired entry, since the upstream was slow",
    miss: "Computed and paid for",
};

const REASONS: Readonly<Record<string, string>> = {
    cold: "never asked before",
    expired: "its entry had expired",
    evicted: "its entry was displaced by others",
    invalidated: "its entry was deleted by an operator",
    not_stored: "asked before, but not stored",
    unknown: "unknown",
};

const SECTIONS: readonly SectionContent[] = [
    {
        title: "Money",
        needsData: true,
        intro: () =>
            "Saved is what the upstream would have charged for queries that the cache answered. Net savings are what remains after refreshes, pods and storage.",
        cards: ({ money }) => [
            figure("Saved", money.saved, formatDollars, "upstream cost avoided", "no data"),
            figure(
                "Cost of running",
                sum(money.billedForCache, money.pods, money.storage),
                formatDollars,
                `refreshes ${formatDollars(money.billedForCache)}, pods ${formatDollars(money.pods)}, storage ${formatDollars(money.storage)}`,
                "not all of its parts are measured",
            ),
            figure(
                "Net savings",
                money.net,
                formatDollars,
                "saved less the cost of running",
                "not all of its parts are measured",
            ),
            figure(
                "Paid for misses",
                money.billedForRequests,
                formatDollars,
                "would cost the same without a cache",
                "no data",
            ),
        ],
        plots: [
            (view) => ({
                title: "Saved, and the cost of running",
                note: "Dollars per hour",
                lines: [
                    perHour(view, line(view, "saved", "Saved", 1)),
                    perHour(view, line(view, "cost", "Cost of running", 2)),
                    perHour(view, line(view, "net", "Net savings", 3, { isFilled: true })),
                ],
                format: formatDollars,
            }),
            (view) => ({
                title: "Net savings, summed up",
                note: "Dollars since the begin of the time range",
                lines: [line(view, "netSum", "Net savings so far", 3, { isFilled: true })],
                format: formatDollars,
            }),
        ],
    },
    {
        title: "Answers from the cache",
        needsData: true,
        cards: ({ hitRate, queries }) => [
            figure(
                "Hit rate",
                hitRate.total,
                formatPercent,
                "of the queries were answered without a new upstream call",
                "no queries in this time",
            ),
            figure("Queries", queries.total, formatCount, "texts that were looked up", "no data"),
        ],
        plots: [
            (view) => ({
                title: "Where answers come from",
                note: "Share of the queries",
                lines: [
                    line(view, "hitL1", "Memory of the pod", 1),
                    line(view, "hitL2", "Redis", 5),
                    line(view, "semantic", "Similar texts", 4),
                    line(view, "otherHits", "Shared or stale", 6),
                    line(view, "miss", "Computed and paid for", 2),
                ],
                format: formatPercent,
                isStacked: true,
                max: 1,
            }),
        ],
        more: ({ hitRate, queries }) => {
            const results = Object.entries(RESULTS).filter(
                ([result]) => result in hitRate.byResult,
            );
            if (results.length === 0) return [];
            const reasons = Object.entries(hitRate.missReasons ?? {}).filter(
                ([, count]) => count > 0,
            );
            return [
                table({
                    caption: "Queries by where their answer came from",
                    columns: ["Source", "Queries", "Share"],
                    rows: results.map(([result, words]) => {
                        const count = hitRate.byResult[result] ?? null;
                        return [
                            words,
                            formatCount(count),
                            formatPercent(divide(count, queries.total)),
                        ];
                    }),
                }),
                ...(reasons.length === 0
                    ? []
                    : [
                          table({
                              caption:
                                  "Why queries were not in the cache (estimated from a sample)",
                              columns: ["Reason", "Queries"],
                              rows: reasons.map(([reason, count]) => [
                                  capitalize(REASONS[reason] ?? reason),
                                  formatCount(count),
                              ]),
                          }),
                      ]),
            ];
        },
    },
    {
        title: "Speed",
        needsData: true,
        cards: ({ latency }) => [
            figure(
                "Mean response time",
                latency.mean,
                formatMilliseconds,
                `of ${formatCount(latency.responses)} responses`,
                "no responses in this time",
            ),
            figure(
                "p95 response time",
                latency.p95,
                formatMilliseconds,
                "95 of 100 responses are faster",
                "no responses in this time",
            ),
        ],
        plots: [
            (view) => ({
                title: "Response time",
                note: "Of successful requests, cached or not",
                lines: [
                    line(view, "mean", "Mean", 1),
                    line(view, "p95", "95 of 100 are faster than (p95)", 2),
                ],
                format: formatMilliseconds,
            }),
        ],
    },
    {
        title: "Quality",
        needsData: true,
        intro: () =>
            "Answers from memory and Redis are exact copies. Only predicted (semantic) answers can differ from computed ones, so relevance is measured for them.",
        cards: ({ feedback, semantic }) => [
            figure(
                "Satisfaction",
                feedback.share,
                formatPercent,
                `of ${plural(verdicts(feedback), "verdict")} said “relevant”`,
                isKnown(feedback.relevant)
                    ? "no feedback was given in this time"
                    : "the service does not count feedback",
            ),
            figure(
                "Satisfaction with semantic answers",
                semantic.feedback.share,
                formatPercent,
                `of ${plural(verdicts(semantic.feedback), "verdict")} said “relevant”`,
                isKnown(semantic.feedback.relevant)
                    ? "no feedback about them in this time"
                    : "the service does not count feedback about them",
            ),
            figure(
                "Relevance of semantic answers",
                semantic.overlap,
                formatPercent,
                `of the ten nearest documents are those of a computed answer (overlap@10); ${formatCount(semantic.answers)} such answers`,
                "overlap@10 is not exported by the pods",
            ),
            figure(
                "Wrong semantic answers",
                semantic.errorBound,
                (value) => (value === null ? "not measured" : `at most ${formatPercent(value)}`),
                `at 95 % confidence; allowed: ${formatPercent(semantic.errorBudget)}; from ${plural(semantic.audits ?? 0, "audit")}`,
                "semantic reuse is off, or has not answered yet",
            ),
        ],
        plots: [
            (view) => ({
                title: "Satisfaction",
                note: "Share of the verdicts that said “relevant”",
                lines: [line(view, "relevantShare", "Relevant", 3)],
                format: formatPercent,
                max: 1,
            }),
        ],
    },
    {
        title: "Traffic and capacity",
        needsData: true,
        cards: ({ traffic, capacity, range }) => [
            figure(
                "Requests per second",
                traffic.perSecond,
                (value) => formatRate(value, "/ s"),
                `${formatCount(traffic.requests)} requests; ${formatCount(traffic.serverErrors)} server errors`,
                "no data",
            ),
            figure(
                "Requests at the same time",
                traffic.concurrentMean,
                (value) => formatRate(value, "on average"),
                `highest sample ${formatCount(traffic.concurrentPeak)}. The people behind them are not counted.`,
                "no data",
            ),
            figure(
                "Pods",
                capacity.podsMean,
                (value) => formatRate(value, "on average"),
                `${formatCount(capacity.podsNow)} now; ${capacity.podsAdded} added, ${capacity.podsRemoved} removed, ${capacity.restarts} restarted`,
                "no data",
            ),
            figure(
                "CPU in use",
                capacity.cpuShare ?? capacity.cpuCores,
                (value) =>
                    capacity.cpuShare === null ? formatRate(value, "cores") : formatPercent(value),
                capacity.cpuShare === null
                    ? "of an unknown limit"
                    : `of the pods' limit; ${formatRate(capacity.cpuCores, "cores")}`,
                `no data in the ${RANGES[range.name].words}`,
            ),
        ],
        plots: [
            (view) => ({
                title: "Requests and queries",
                note: "Per second. A request may have several queries (texts).",
                lines: [
                    line(view, "requestsPerSecond", "Requests", 1),
                    line(view, "textsPerSecond", "Queries", 4),
                ],
                format: formatNumber,
            }),
            (view) => ({
                title: "Requests at the same time",
                note: "Mean from response times; the highest is sampled with each scrape",
                lines: [
                    line(view, "concurrentMean", "Mean", 1),
                    line(view, "concurrentPeak", "Highest sample", 2, { isDashed: true }),
                ],
                format: formatNumber,
            }),
            (view) => ({
                title: "Pods",
                note: "Mean number of pods of each colour",
                lines: linesOf(view.series.pods, { isStepped: true }),
                format: formatNumber,
            }),
            (view) => ({
                title: "CPU in use",
                note:
                    view.capacity.cpuShare === null
                        ? "Cores; the pods' limit is not measured"
                        : "Share of the pods' limit",
                lines: [
                    view.capacity.cpuShare === null
                        ? line(view, "cpuCores", "Cores", 1)
                        : line(view, "cpuShare", "CPU", 1, { isFilled: true }),
                ],
                format: view.capacity.cpuShare === null ? formatNumber : formatPercent,
            }),
        ],
    },
    {
        title: "Releases and changes",
        needsData: true,
        plots: [
            (view) => ({
                title: "Which version served",
                note: "Share of the requests",
                lines: linesOf(view.series.versions),
                format: formatPercent,
                isStacked: true,
                max: 1,
            }),
        ],
        more: (view) => [...versionTable(view), eventTable(view)],
    },
    { title: "Reports", more: (_, archive) => reportTables(archive) },
    {
        title: "What is not known",
        intro: () => "These figures are unknown, not zero.",
        more: (view) => unknownTables(view),
    },
];

const formatNumber = (value: Figure): string =>
    value === null ? "no data" : Number(value.toPrecision(3)).toLocaleString("en-US");

function sum(...figures: readonly Figure[]): Figure {
    return figures.reduce((all, one) => (all === null || one === null ? null : all + one), 0);
}

const divide = (part: Figure, whole: Figure): Figure =>
    part === null || whole === null || whole === 0 ? null : part / whole;

const verdicts = ({ relevant, irrelevant }: ImpactView["feedback"]): number =>
    (relevant ?? 0) + (irrelevant ?? 0);

/** Points of different lengths, such as the latest one, are compared by their rates. */
const perHour = ({ series: { seconds } }: ImpactView, one: PlotLine): PlotLine => ({
    ...one,
    values: one.values.map((value, at) =>
        divide(value === null ? null : value * 3_600, seconds[at] ?? 0),
    ),
});

function versionTable({ versions }: ImpactView): readonly HTMLElement[] {
    if (versions.length === 0) return [];
    return [
        table({
            caption: "Versions that answered requests",
            columns: ["Version", "Colour", "Requests", "Share", "From", "To"],
            rows: versions.map(({ version, colour, requests, share, firstServed, lastServed }) => [
                version,
                colour,
                formatCount(requests),
                formatPercent(share),
                formatInstant(firstServed),
                formatInstant(lastServed),
            ]),
            textColumns: [0, 1],
        }),
    ];
}

const KINDS: Readonly<Record<string, string>> = {
    release: "Release",
    scaling: "Scaling",
    experiment: "Experiment",
    tuning: "Tuning",
};

function eventTable({ events, eventsLeftOut }: ImpactView): HTMLElement {
    if (events.length === 0) {
        return element("p", {}, "No release, scaling, experiment or tuning in this time.");
    }
    const latest = events.toReversed();
    const rowsOf = (some: typeof latest) =>
        some.map(({ at, kind, text }) => [formatInstant(at), KINDS[kind] ?? kind, text]);
    const list = (caption: string, some: typeof latest) =>
        table({
            caption,
            columns: ["When", "Kind", "What"],
            rows: rowsOf(some),
            textColumns: [0, 1, 2],
        });
    const earlier = latest.slice(MAX_LISTED);
    return element(
        "div",
        {},
        list("What changed, latest first", latest.slice(0, MAX_LISTED)),
        earlier.length === 0
            ? undefined
            : element(
                  "details",
                  {},
                  element("summary", {}, `Show ${plural(earlier.length, "earlier change")}`),
                  list("Earlier changes", earlier),
              ),
        eventsLeftOut === 0
            ? undefined
            : element(
                  "p",
                  { class: "note" },
                  `${plural(eventsLeftOut, "change")} before these are left out.`,
              ),
    );
}

function reportTables({ reports, months }: Archive): readonly HTMLElement[] {
    const link = (href: string, text: string, label: string) =>
        element("a", { href, "aria-label": label }, text);
    const monthly = months.map((month) => {
        const name = new Date(`${month}-01T00:00:00Z`).toLocaleDateString("en-GB", {
            ...{ month: "long", year: "numeric", timeZone: "UTC" },
        } as const);
        const path = `/impact/api/months/${month}`;
        return element(
            "li",
            {},
            link(`${path}.html`, name, `Report of ${name}`),
            " (",
            link(`${path}.md`, "Markdown", `Report of ${name} as Markdown`),
            ", ",
            link(`${path}.json`, "JSON", `Report of ${name} as JSON`),
            ")",
        );
    });
    return [
        element("h3", {}, "Monthly reports"),
        months.length === 0
            ? element("p", {}, "None yet: the first one begins with the first hour.")
            : element("ul", { class: "months" }, ...monthly),
        element("h3", {}, "Daily reports"),
        reports.length === 0
            ? element("p", {}, "None yet: the first one is written at 02:00, or by make optimize.")
            : table({
                  caption: "Latest first; each covers the 24 hours before its end",
                  columns: ["Day", "Figures", "Hit rate", "Net savings", "Recommendations"],
                  rows: reports.slice(0, MAX_REPORTS).map((one) => [
                      {
                          text: one.day,
                          href: `/impact/api/reports/${one.day}.html`,
                          label: `Report of ${one.day}`,
                      },
                      one.state,
                      formatPercent(one.hitRate),
                      formatDollars(one.netDollars),
                      formatCount(one.recommendations),
                  ]),
                  textColumns: [0, 1],
              }),
    ];
}

function unknownTables({ gaps, gapsLeftOut, notMeasured }: ImpactView): readonly HTMLElement[] {
    const listed = gaps.toReversed().slice(0, MAX_LISTED);
    const more = gapsLeftOut + gaps.length - listed.length;
    return [
        table({
            caption: "Not measured",
            columns: ["Figure", "Why"],
            rows: notMeasured.map(({ figure: name, reason }) => [name, capitalize(reason)]),
            textColumns: [0, 1],
        }),
        gaps.length === 0
            ? element("p", {}, "No gaps in the data of this time.")
            : table({
                  caption: `Times without data, latest first${more > 0 ? ` (${more} more in the JSON)` : ""}`,
                  columns: ["From", "To", "Of", "Why"],
                  rows: listed.map(({ from, to, pod, reason }) => [
                      formatInstant(from),
                      formatInstant(to),
                      pod ?? "all pods",
                      capitalize(reason),
                  ]),
                  textColumns: [0, 1, 2, 3],
              }),
    ];
}
