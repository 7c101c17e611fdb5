import { METRICS } from "@property-search/contract";
import { alert, type Alert } from "./rules.ts";
import { COLOUR_LABELS } from "./subjects.ts";

/** Alerts on semantic reuse. It fails safe, so none of them is urgent: texts are then sent upstream. */
export function semanticAlerts(): Alert[] {
    return [
        alert("EmbeddingSemanticBudgetExhausted", {
            ...COLOUR_LABELS,
            topic: "semantic",
            expr: `sum by (colour, tenant) (${METRICS.semanticExhausted}) > 0`,
            for: "5m",
            severity: "warning",
            summary:
                "Semantic answers for {{ $labels.tenant }} in {{ $labels.colour }} exceeded their error budget",
            description: `{{ $value }} pods serve {{ $labels.tenant }} no semantic answers, because their labels no longer show that
                the error is within the budget. Their texts are sent upstream.`,
        }),
        alert("EmbeddingSemanticUnavailable", {
            ...COLOUR_LABELS,
            topic: "semantic",
            expr: `count by (colour) (${METRICS.semanticUp} == 0)`,
            for: "10m",
            severity: "warning",
            summary: "Semantic reuse does not work in {{ $labels.colour }}",
            description: `{{ $value }} pods have not looked up similar texts for ten minutes, although service.semanticMode is not
                off. Texts are sent upstream.`,
        }),
    ];
}
