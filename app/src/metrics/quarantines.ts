import { METRICS, QUARANTINE_REASONS, type QuarantineReason } from "@property-search/contract";
import type { Registry } from "prom-client";

import { createFamilies, mapKeys } from "./families.ts";

/** @returns a function that counts an entry in Redis that was not served */
export function createQuarantineMetrics(registry: Registry): (reason: QuarantineReason) => void {
    const { counter } = createFamilies(registry);
    const family = counter(
        METRICS.quarantineSkipped,
        "Entries of other builds in Redis that were not served because of a quarantine",
    );
    const seriesByReason = mapKeys(QUARANTINE_REASONS, (reason) => family.series({ reason }));
    return (reason) => {
        seriesByReason[reason].value += 1;
    };
}
