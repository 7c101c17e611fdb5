import { formatDollars } from "../../report/format.ts";
import { figure, line, perHour, sum, type SectionContent } from "./content.ts";

export const money: SectionContent = {
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
            note: "Dollars since the start of the time range",
            lines: [line(view, "netSum", "Net savings so far", 3, { isFilled: true })],
            format: formatDollars,
        }),
    ],
};
