import { EVALUATION_INTERVAL_SECONDS, SERIES } from "@property-search/contract";
import { hoursToDuration } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import { SERVICE_LABELS } from "./subjects.ts";
import type { AlertThresholds } from "./thresholds.ts";

/**
 * Projects the mean rate of the window to 30 days. A lifetime total would not show that savings have stopped, and a
 * counter reset is not a loss. Hours without data do not count as hours without savings.
 */
export function costAlerts({
    monthlySavingsDollars,
    savingsWindowHours,
    savingsDataHours,
}: AlertThresholds): Alert[] {
    const window = hoursToDuration(savingsWindowHours);
    const samples = Math.floor((savingsDataHours * 3600) / EVALUATION_INTERVAL_SECONDS);
    return [
        alert("CostSavingsTargetMissed", {
            ...SERVICE_LABELS,
            topic: "savings",
            expr: `${SERIES.netSavedPerMonth} < ${monthlySavingsDollars}
                   and count_over_time(${SERIES.netSaved}[${window}]) >= ${samples}
                   and avg_over_time(${SERIES.lookups.service}[${window}]) > 0`,
            for: "5m",
            severity: "warning",
            summary: `The cache saves less than $${monthlySavingsDollars} a month`,
            description: `At the mean rate of the last ${window}, the cache saves {{ $value | printf "%.2f" }} dollars in 30 days,
                net of its own cost; the target is ${monthlySavingsDollars}.`,
        }),
    ];
}
