import { METRICS, QUARANTINE_REASONS, type QuarantineReason } from "@property-search/contract";
import type { Registry } from "prom-client";

import { counterFamily, type Cell } from "./families.ts";

/** @returns counts an entry that is in Redis and not served */
export function trialMetrics(registry: Registry): (reason: QuarantineReason) => void {
    const family = counterFamily(registry, {
        name: METRICS.quarantineSkipped,
        help: "Entries of other builds that were found in Redis and not served",
        labelNames: ["reason"],
    });
    const cells = Object.fromEntries(
        QUARANTINE_REASONS.map((reason) => [reason, family.cell({ reason })]),
    ) as Record<QuarantineReason, Cell>;
    return (reason) => {
        cells[reason].value += 1;
    };
}
