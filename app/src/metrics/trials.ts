import { METRICS, TRIAL_REFUSALS, type TrialRefusal } from "@property-search/contract";
import type { Registry } from "prom-client";

import { counterFamily, type Cell } from "./families.ts";

/** @returns counts an entry that is in Redis and not served */
export function trialMetrics(registry: Registry): (reason: TrialRefusal) => void {
    const family = counterFamily(registry, {
        name: METRICS.trialRefused,
        help: "Entries of other builds that were found in Redis and not served",
        labelNames: ["reason"],
    });
    const cells = Object.fromEntries(
        TRIAL_REFUSALS.map((reason) => [reason, family.cell({ reason })]),
    ) as Record<TrialRefusal, Cell>;
    return (reason) => {
        cells[reason].value += 1;
    };
}
