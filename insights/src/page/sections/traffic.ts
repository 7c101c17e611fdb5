import { RANGES } from "../../impact/view.ts";
import { formatCount, formatNumber, formatPercent } from "../../report/format.ts";
import { figure, line, linesOf, type SectionContent } from "./content.ts";

export const traffic: SectionContent = {
    title: "Traffic and capacity",
    needsData: true,
    cards: ({ traffic, capacity, range }) => [
        figure(
            "Requests per second",
            traffic.perSecond,
            (value) => formatNumber(value, "/ s"),
            `${formatCount(traffic.requests)} requests; ${formatCount(traffic.serverErrors)} server errors`,
            "no data",
        ),
        figure(
            "Requests at the same time",
            traffic.concurrentMean,
            (value) => formatNumber(value, "on average"),
            `highest sample ${formatCount(traffic.concurrentPeak)}. The people behind them are not counted.`,
            "no data",
        ),
        figure(
            "Pods",
            capacity.podsMean,
            (value) => formatNumber(value, "on average"),
            `${formatCount(capacity.podsNow)} now; ${capacity.podsAdded} added, ${capacity.podsRemoved} removed, ${capacity.restarts} restarted`,
            "no data",
        ),
        figure(
            "CPU in use",
            capacity.cpuShare ?? capacity.cpuCores,
            (value) =>
                capacity.cpuShare === null ? formatNumber(value, "cores") : formatPercent(value),
            capacity.cpuShare === null
                ? "of an unknown limit"
                : `of the pods' limit; ${formatNumber(capacity.cpuCores, "cores")}`,
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
};
