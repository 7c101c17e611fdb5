import { METRICS } from "@property-search/contract";
import type { Row } from "../dashboard.ts";
import { graphPanel } from "../panels.ts";
import { query, rate } from "../queries.ts";
import { UNITS } from "../units.ts";

const SAMPLE = "Estimated from one key of sixteen or fewer.";

export function missesRow(): Row {
    return {
        id: 106,
        title: "Misses",
        panels: [
            graphPanel({
                id: 90,
                title: "Misses by reason",
                description:
                    `Items per second. ${SAMPLE} cold: not requested before; expired: at the end of its lifetime; evicted: ` +
                    "by Redis, to free memory; invalidated: flagged, deleted, of an earlier epoch or in quarantine; " +
                    "not_stored: the fetch failed, Redis did not accept the write, or similar texts answered; " +
                    "unknown: Redis is down, or the history too short.",
                unit: UNITS.itemsPerSecond,
                width: 8,
                stacked: true,
                queries: [query(`sum by (reason) (${rate(METRICS.misses)})`, "{{reason}}")],
            }),
            graphPanel({
                id: 91,
                title: "Fetches by lifetime of entries",
                description:
                    `Fetches per second that entries of another lifetime, in seconds, would have needed. ${SAMPLE} ` +
                    "A lifetime that is longer than the memory of the ghosts is overestimated.",
                unit: UNITS.itemsPerSecond,
                width: 8,
                queries: [
                    query(
                        `sum by (ttl_seconds) (${rate(METRICS.ghostFetches)})`,
                        "{{ttl_seconds}} s",
                    ),
                ],
            }),
            graphPanel({
                id: 92,
                title: "Feedback",
                description: "Client verdicts on results per second, by source of the vectors.",
                unit: UNITS.operationsPerSecond,
                width: 8,
                queries: [
                    query(
                        `sum by (verdict, source) (${rate(METRICS.feedback)})`,
                        "{{verdict}}, {{source}}",
                    ),
                ],
            }),
        ],
    };
}
