import { EVALUATION_INTERVAL_SECONDS, SERIES } from "@property-search/contract";
import { windowOf } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import { OF_SERVICE } from "./subjects.ts";
import type { AlertThresholds } from "./thresholds.ts";

/**
 * The window's mean rate over 30 days: a lifetime's total never tells that the saving has ended, and a
 * counter that starts over is no loss. Hours without data are not hours without savings.
 */
export function moneyAlerts({ savings }: AlertThresholds): Alert[] {
    const { dollarsPerMonth, windowHours, dataHours } = savings;
    const window = windowOf(windowHours);
    const samples = Math.floor((dataHours * 3600) / EVALUATION_INTERVAL_SECONDS);
    return [
        alert("EmbeddingSavingsTargetMissed", {
            ...OF_SERVICE,
            topic: "savings",
            expr: `${SERIES.netSavedPerMonth} < ${dollarsPerMonth}
                   and count_over_time(${SERIES.netSaved}[${window}]) >= ${samples}
                   and avg_over_time(${SERIES.lookups.service}[${window}]) > 0`,
            for: "5m",
            severity: "warning",
            summary: `The cache saves less than $${dollarsPerMonth} a month`,
            description: `If 30 days went like the last ${window}, the cache would save {{ $value | printf "%.2f" }} dollars net of
                what it costs; the target is ${dollarsPerMonth}.`,
        }),
    ];
}
