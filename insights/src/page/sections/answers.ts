import { formatCount, formatPercent } from "../../report/format.ts";
import { element, table } from "../elements.ts";
import { capitalize, divide, figure, line, type SectionContent } from "./content.ts";

const RESULTS: Readonly<Record<string, string>> = {
    hit_l1: "Memory of the pod",
    hit_l2: "Redis, shared by all pods",
    semantic: "Predicted from similar texts",
    coalesced: "Shared with a request at the same time",
    stale: "Expired entry, since the upstream was slow",
    miss: "Computed and paid for",
};

const REASONS: Readonly<Record<string, string>> = {
    cold: "never requested before",
    expired: "its entry had expired",
    evicted: "its entry was displaced by others",
    invalidated: "its entry was deleted by an operator",
    not_stored: "requested before, but not stored",
    unknown: "not classified: its history is not known",
};

export const answers: SectionContent = {
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
    more: ({ hitRate, queries, notMeasured }) => {
        const results = Object.entries(RESULTS).filter(([result]) => result in hitRate.byResult);
        if (results.length === 0) return [];
        const reasons = Object.entries(hitRate.missReasons ?? {}).filter(([, count]) => count > 0);
        const misses = reasons.reduce((all, [, count]) => all + count, 0);
        return [
            table({
                caption: "Queries by where their answer came from",
                columns: ["Source", "Queries", "Share"],
                rows: results.map(([result, words]) => {
                    const count = hitRate.byResult[result] ?? null;
                    return [words, formatCount(count), formatPercent(divide(count, queries.total))];
                }),
            }),
            ...notMeasured
                .filter(({ figure: name }) => name === "Reasons of misses")
                .map(({ reason }) =>
                    element("p", {}, `Why queries were not in the cache is not known: ${reason}.`),
                ),
            ...(reasons.length === 0
                ? []
                : [
                      table({
                          caption: `Why queries were not in the cache (estimated from a sample; ${formatPercent(hitRate.unclassifiedShare)} of them not classified)`,
                          columns: ["Reason", "Queries", "Share"],
                          rows: reasons.map(([reason, count]) => [
                              capitalize(REASONS[reason] ?? reason),
                              formatCount(count),
                              formatPercent(divide(count, misses)),
                          ]),
                      }),
                  ]),
        ];
    },
};
