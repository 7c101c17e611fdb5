import { RANGES, type Figure, type ImpactView } from "../../impact/view.ts";
import { formatCount, formatDollars, formatSpan } from "../../report/format.ts";
import { element } from "../elements.ts";
import { cards, type CardContent } from "../figure.ts";
import { describeMeasured, formatDate, plural, TIME_ZONE } from "../words.ts";
import { capitalize } from "./content.ts";

/** The answer in one sentence, and the four figures that people ask for. */
export function headlineOf(view: ImpactView): readonly HTMLElement[] {
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

const spanOf = ({ from, to }: { readonly from: string; readonly to: string }) =>
    `the last ${formatSpan((Date.parse(to) - Date.parse(from)) / 1000)}`;
