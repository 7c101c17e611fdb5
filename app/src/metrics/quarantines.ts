import { METRICS, QUARANTINE_REASONS, type QuarantineReason } from "@property-search/contract";
import type { Registry } from "prom-client";

import { counterFamily, type Cell } from "./families.ts";

/** @returns a function that counts an entry in Redis that was not served */
export function createQuarantineMetrics(registry: Registry): (reason: QuarantineReason) => void {
    const family = counterFamily(registry, {
        name: METRICS.quarantineSkipped,
        help: "Entries of other builds in Redis that were not served because of a quarantine",
        labelNames: ["reason"],
    });
    const cells = Object.fromEntries(
        QUARANTINE_REASONS.map((reason) => [reason, family.cell({ reason })]),
    ) as Record<QuarantineReason, Cell>;
    return (reason) => {
        cells[reason].value += 1;
    };
}
