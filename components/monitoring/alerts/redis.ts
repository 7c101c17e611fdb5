import { METRICS } from "@property-search/contract";
import { percentToRatio } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import { REDIS_LABELS } from "./subjects.ts";
import type { AlertThresholds } from "./thresholds.ts";

/** Alerts on Redis, from its exporter's metrics and from the service's. */
export function redisAlerts(thresholds: AlertThresholds): Alert[] {
    return [...availabilityAlerts(), ...memoryAlerts(thresholds), ...entryAlerts()];
}

function availabilityAlerts(): Alert[] {
    return [
        alert("RedisDown", {
            ...REDIS_LABELS,
            topic: "down",
            // A deleted pod is not scraped and an external Redis has no exporter: the service's metric covers both.
            expr: `redis_up == 0
                   or label_replace(max(${METRICS.redisUp}) == 0, "instance", "all", "", "")`,
            for: "1m",
            severity: "critical",
            summary: "Redis does not respond",
            description: `Redis ({{ $labels.instance }}) has not responded for a minute. The service keeps serving from each pod's
                local cache and calls the upstream for everything else.`,
        }),
        alert("EmbeddingRedisUnreachable", {
            ...REDIS_LABELS,
            topic: "unreachable",
            expr: `avg by (colour) (${METRICS.redisUp}) < 1`,
            for: "2m",
            severity: "warning",
            summary: "Pods of {{ $labels.colour }} cannot reach Redis",
            description: `Only {{ $value | humanizePercentage }} of the pods of {{ $labels.colour }} reach Redis; the circuit breaker
                of the others is open.`,
        }),
        alert("RedisClusterFailed", {
            ...REDIS_LABELS,
            topic: "cluster",
            expr: "redis_cluster_state == 0",
            for: "1m",
            severity: "critical",
            summary: "Redis Cluster has slots without a primary",
            description: `Node {{ $labels.instance }} reports cluster state "fail": keys of some slots can be neither read nor
                written.`,
        }),
        alert("RedisReplicationBroken", {
            ...REDIS_LABELS,
            topic: "replication",
            expr: "redis_master_link_up == 0",
            for: "5m",
            severity: "warning",
            summary: "A Redis replica has lost its primary",
            description:
                "Replica {{ $labels.instance }} has had no link to its primary for five minutes and could not take over.",
        }),
        alert("RedisConnectionsRejected", {
            ...REDIS_LABELS,
            topic: "connections",
            expr: "rate(redis_rejected_connections_total[5m]) > 0",
            for: "1m",
            severity: "warning",
            summary: "Redis rejects connections",
            description:
                "Redis {{ $labels.instance }} has reached maxclients and rejects {{ $value | humanize }} connections/s.",
        }),
    ];
}

/** A full cache is normal; only evictions of entries that are still in use cost money. */
function memoryAlerts({ redisMemoryPercent, redisEvictionsPerSecond }: AlertThresholds): Alert[] {
    return [
        alert("RedisMemoryNearLimit", {
            ...REDIS_LABELS,
            topic: "memory",
            // Without a limit the exporter reports 0, and the quotient would be infinite.
            expr: `redis_memory_used_bytes / (redis_memory_max_bytes > 0) > ${percentToRatio(redisMemoryPercent)}`,
            for: "10m",
            severity: "info",
            summary: "Redis is almost full and will evict entries",
            description: `Redis {{ $labels.instance }} uses {{ $value | humanizePercentage }} of maxmemory. It evicts the least used
                entries to make room.`,
        }),
        alert("RedisEvicting", {
            ...REDIS_LABELS,
            topic: "memory",
            expr: `rate(redis_evicted_keys_total[5m]) > ${redisEvictionsPerSecond}`,
            for: "10m",
            severity: "warning",
            summary: "Redis evicts vectors that have not expired",
            description: `Redis {{ $labels.instance }} evicts {{ $value | humanize }} keys/s because its memory is full; they have to
                be computed again.`,
        }),
    ];
}

function entryAlerts(): Alert[] {
    return [
        alert("EmbeddingRedisWritesDropped", {
            ...REDIS_LABELS,
            topic: "writes",
            // While Redis is down nothing is written; RedisDown covers that.
            expr: `sum by (colour) (rate(${METRICS.redisDropped}{reason!="down"}[5m])) > 0`,
            for: "5m",
            severity: "warning",
            summary: "Vectors of {{ $labels.colour }} are not written to Redis",
            description: `{{ $value | humanize }} vectors/s are computed and not written to Redis, which rejects them or is too
                slow.`,
        }),
        alert("EmbeddingRedisEntriesCorrupted", {
            ...REDIS_LABELS,
            topic: "entries",
            expr: `sum by (colour) (increase(${METRICS.redisCorrupt}[15m])) > 0`,
            severity: "warning",
            summary: "{{ $labels.colour }} reads corrupted entries from Redis",
            description: `{{ $value | humanize }} entries could not be decoded in the last 15 minutes. They count as misses and are
                written again.`,
        }),
    ];
}
