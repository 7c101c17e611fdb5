import { formatCount, formatMilliseconds } from "../../report/format.ts";
import { figure, line, type SectionContent } from "./content.ts";

export const speed: SectionContent = {
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
};
