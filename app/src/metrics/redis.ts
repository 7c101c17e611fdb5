import { METRICS, REDIS_OPERATIONS, type RedisOperation } from "@property-search/contract";
import type { Registry } from "prom-client";

import { DROP_REASONS, type RedisEvents } from "../cache/redisCache.ts";
import { createFamilies } from "./families.ts";

/** A healthy Redis responds within 1 ms; operations time out after 100 ms. */
const BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25] as const;

export function createRedisMetrics(registry: Registry): RedisEvents {
    const { counter, histogram } = createFamilies(registry);
    const times = histogram(
        METRICS.redisOperationTime,
        "Seconds of successful Redis operations",
        BUCKETS,
    );
    const errors = counter(METRICS.redisErrors, "Redis operations that timed out or failed");
    const dropped = counter(METRICS.redisDropped, "Entries that were not written to Redis");
    const corrupt = counter(
        METRICS.redisCorrupt,
        "Entries in Redis that are corrupt or have an unknown format",
    ).series();
    const operations = new Map(
        REDIS_OPERATIONS.map((operation: RedisOperation) => [
            operation,
            { times: times.series({ operation }), errors: errors.series({ operation }) },
        ]),
    );
    const reasons = new Map(DROP_REASONS.map((reason) => [reason, dropped.series({ reason })]));
    return {
        onSuccess: (operation, seconds) => operations.get(operation)?.times.observe(seconds),
        onFailure: (operation) => add(operations.get(operation)?.errors, 1),
        onDropped: (entries, reason) => add(reasons.get(reason), entries),
        onCorrupt: () => add(corrupt, 1),
    };
}

function add(series: { value: number } | undefined, count: number): void {
    if (series) series.value += count;
}
