import { METRICS } from "@property-search/contract";
import type { Row } from "../dashboard.ts";
import { graphPanel } from "../panels.ts";
import { query, rate } from "../queries.ts";
import { UNITS } from "../units.ts";

const LOOKUPS = METRICS.semanticLookups;
/** Pods have no such series while service.semanticMode is off. */
const OFF = "or vector(0)";

export function semanticRow(): Row {
    const share = (outcomes: string) =>
        `sum(${rate(`${LOOKUPS}{outcome=~"${outcomes}"}`)}) / sum(${rate(LOOKUPS)} > 0) ${OFF}`;
    return {
        id: 105,
        title: "Semantic reuse",
        panels: [
            graphPanel({
                id: 80,
                title: "Texts by outcome",
                description:
                    "Texts per second that no cache had. served: answered from similar texts; audited: sent upstream to " +
                    "measure the error; all others are refused and sent upstream.",
                unit: UNITS.itemsPerSecond,
                width: 8,
                stacked: true,
                queries: [query(`sum by (outcome) (${rate(LOOKUPS)}) ${OFF}`, "{{outcome}}")],
            }),
            graphPanel({
                id: 81,
                title: "Share of texts answered",
                description:
                    "Texts answered from similar texts, and texts audited, of all that no cache had.",
                unit: UNITS.ratio,
                width: 8,
                queries: [query(share("served"), "served"), query(share("audited"), "audited")],
            }),
            graphPanel({
                id: 82,
                title: "Error bound",
                description:
                    "Highest upper bound on the share of wrong answers of all pods, and the budget. Above it, nothing is served.",
                unit: UNITS.ratio,
                width: 8,
                queries: [
                    query(`max by (tenant) (${METRICS.semanticErrorBound}) ${OFF}`, "{{tenant}}"),
                    query(`max(${METRICS.semanticErrorBudget}) ${OFF}`, "limit"),
                ],
            }),
            graphPanel({
                id: 83,
                title: "Pods that serve semantic answers",
                description:
                    "Pods by tenant. A pod starts without, until its labels show that the error is small.",
                unit: UNITS.count,
                width: 12,
                queries: [
                    query(`sum by (tenant) (${METRICS.semanticServing}) ${OFF}`, "{{tenant}}"),
                ],
            }),
            graphPanel({
                id: 84,
                title: "Texts kept",
                description: "Texts that a pod predicts vectors from: mean of the pods, by tenant.",
                unit: UNITS.count,
                width: 12,
                queries: [
                    query(`avg by (tenant) (${METRICS.semanticEntries}) ${OFF}`, "{{tenant}}"),
                ],
            }),
        ],
    };
}
