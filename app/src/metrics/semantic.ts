import { METRICS, SEMANTIC_OUTCOMES } from "@property-search/contract";
import type { Registry } from "prom-client";

import type { ReuseEvents, ReuseReport, TenantReport } from "../reuse/reuse.ts";
import { createFamilies, mapKeys } from "./families.ts";

/** Up to the time after which a request no longer waits. */
const BUCKETS = [0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05] as const;

export interface SemanticMetricsOptions {
    readonly registry: Registry;
    readonly errorBudget: number;
    readonly isPerHit: boolean;
    readonly report: () => ReuseReport;
}

export function createSemanticMetrics(options: SemanticMetricsOptions): ReuseEvents {
    const { registry, errorBudget, isPerHit, report } = options;
    const { counter, gauge, histogram } = createFamilies(registry);
    const lookups = counter(
        METRICS.semanticLookups,
        "Texts in semantic mode that no cache had, by outcome",
    );
    const byOutcome = mapKeys(SEMANTIC_OUTCOMES, (outcome) => lookups.series({ outcome }));
    const times = histogram(
        METRICS.semanticLookupTime,
        "Seconds of lookups of similar texts",
        BUCKETS,
    ).series({});
    gauge(METRICS.semanticUp, "1 while similar texts can be looked up", () => [
        [{}, report().offReason === undefined ? 1 : 0],
    ]);
    const gauges: readonly (readonly [string, string, (one: TenantReport) => number])[] = [
        [METRICS.semanticEntries, "Texts to predict vectors from", ({ entries }) => entries],
        [
            METRICS.semanticServing,
            "1 while predicted vectors are served",
            ({ state }) => (state === "serving" ? 1 : 0),
        ],
        [
            METRICS.semanticExhausted,
            "1 while the error budget is exhausted",
            ({ state }) => (state === "exhausted" ? 1 : 0),
        ],
        [
            METRICS.semanticErrorBound,
            "Upper bound on the share of wrong predicted vectors",
            ({ answerBound, requestBound }) => (isPerHit ? answerBound : requestBound),
        ],
        [
            METRICS.semanticErrorBudget,
            "Largest allowed share of wrong predicted vectors",
            () => errorBudget,
        ],
        [
            METRICS.semanticOverlap,
            "Mean overlap@10 of predicted vectors that count as right",
            ({ overlap }) => overlap,
        ],
    ];
    for (const [name, help, read] of gauges)
        gauge(name, help, () =>
            report().namespaces.flatMap((one) => {
                const value = read(one);
                // Not measured.
                if (Number.isNaN(value)) return [];
                return [[{ tenant: one.tenant, dimensions: one.dimensions }, value] as const];
            }),
        );

    return {
        onOutcome: (outcome, texts) => {
            byOutcome[outcome].value += texts;
        },
        onLookup: times.observe,
    };
}
