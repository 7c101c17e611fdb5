import { METRICS, REDIS_OPERATIONS, type RedisOperation } from "@property-search/contract";
import type { Registry } from "prom-client";

import { DROP_REASONS, type RedisEvents } from "../cache/redisCache.ts";
import { counterFamily, histogramFamily } from "./families.ts";

/** A healthy Redis responds within 1 ms; operations time out after 100 ms. */
const EDGES = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25] as const;

export function redisMetrics(registry: Registry): RedisEvents {
    const times = histogramFamily(registry, {
        name: METRICS.redisOperationTime,
        help: "Seconds of successful Redis operations",
        edges: EDGES,
    });
    const errors = counterFamily(registry, {
        name: METRICS.redisErrors,
        help: "Redis operations that timed out or failed",
        labelNames: ["operation"],
    });
    const dropped = counterFamily(registry, {
        name: METRICS.redisDropped,
        help: "Entries that were not written to Redis",
        labelNames: ["reason"],
    });
    const damaged = counterFamily(registry, {
        name: METRICS.redisCorrupt,
        help: "Entries in Redis that are corrupt or have an unknown format",
    }).cell();
    const operations = new Map(
        REDIS_OPERATIONS.map((operation: RedisOperation) => [
            operation,
            { times: times.buckets({ operation }), errors: errors.cell({ operation }) },
        ]),
    );
    const reasons = new Map(DROP_REASONS.map((reason) => [reason, dropped.cell({ reason })]));
    return {
        answered: (operation, seconds) => operations.get(operation)?.times.observe(seconds),
        failed: (operation) => add(operations.get(operation)?.errors, 1),
        dropped: (entries, reason) => add(reasons.get(reason), entries),
        damaged: () => add(damaged, 1),
    };
}

function add(cell: { value: number } | undefined, count: number): void {
    if (cell) cell.value += count;
}
