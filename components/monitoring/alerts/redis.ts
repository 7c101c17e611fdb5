import { METRICS } from "@property-search/contract";
import { shareOf } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import { OF_REDIS } from "./subjects.ts";
import type { AlertThresholds } from "./thresholds.ts";

/** Redis by its exporter, and as the service finds it. */
export function redisAlerts({ redis }: AlertThresholds): Alert[] {
    return [...availability(), ...memory(redis), ...entries()];
}

function availability(): Alert[] {
    return [
        alert("RedisDown", {
            ...OF_REDIS,
            topic: "down",
            // Where its pod is gone nothing is scraped, and another's Redis has no exporter: the service knows.
            expr: `redis_up == 0
                   or label_replace(max(${METRICS.redisUp}) == 0, "instance", "all", "", "")`,
            for: "1m",
            severity: "critical",
            summary: "Redis does not answer",
            description: `Redis ({{ $labels.instance }}) has not answered for a minute. The service goes on with each pod's own
                cache and pays the upstream for the rest.`,
        }),
        alert("EmbeddingRedisUnreachable", {
            ...OF_REDIS,
            topic: "unreachable",
            expr: `avg by (colour) (${METRICS.redisUp}) < 1`,
            for: "2m",
            severity: "warning",
            summary: "Pods of {{ $labels.colour }} do without Redis",
            description: `Only {{ $value | humanizePercentage }} of the pods of {{ $labels.colour }} reach Redis; the breaker of the
                others is open.`,
        }),
        alert("RedisClusterBroken", {
            ...OF_REDIS,
            topic: "cluster",
            expr: "redis_cluster_state == 0",
            for: "1m",
            severity: "critical",
            summary: "Redis Cluster has slots that nobody serves",
            description: `Node {{ $labels.instance }} says that the cluster's state is "fail": keys of some slots are neither read
                nor written.`,
        }),
        alert("RedisReplicationBroken", {
            ...OF_REDIS,
            topic: "replication",
            expr: "redis_master_link_up == 0",
            for: "5m",
            severity: "warning",
            summary: "A replica of Redis has lost its master",
            description:
                "Replica {{ $labels.instance }} has had no link to its master for five minutes and could not take over.",
        }),
        alert("RedisConnectionsRejected", {
            ...OF_REDIS,
            topic: "connections",
            expr: "rate(redis_rejected_connections_total[5m]) > 0",
            for: "1m",
            severity: "warning",
            summary: "Redis refuses connections",
            description:
                "Redis {{ $labels.instance }} has reached maxclients and refuses {{ $value | humanize }} connections a second.",
        }),
    ];
}

/** A cache may fill its memory: what it loses for want of it is the trouble. */
function memory({ memoryPercent, evictionsPerSecond }: AlertThresholds["redis"]): Alert[] {
    return [
        alert("RedisMemoryNearLimit", {
            ...OF_REDIS,
            topic: "memory",
            // Without a limit the exporter says 0, and a quotient would be infinite for ever.
            expr: `redis_memory_used_bytes / (redis_memory_max_bytes > 0) > ${shareOf(memoryPercent)}`,
            for: "10m",
            severity: "info",
            summary: "Redis is almost full and will evict",
            description: `Redis {{ $labels.instance }} uses {{ $value | humanizePercentage }} of maxmemory. It makes room by evicting
                what is used least.`,
        }),
        alert("RedisEvicting", {
            ...OF_REDIS,
            topic: "memory",
            expr: `rate(redis_evicted_keys_total[5m]) > ${evictionsPerSecond}`,
            for: "10m",
            severity: "warning",
            summary: "Redis evicts vectors that have not expired",
            description: `Redis {{ $labels.instance }} evicts {{ $value | humanize }} keys a second for want of memory; they will be
                paid for again.`,
        }),
    ];
}

function entries(): Alert[] {
    return [
        alert("EmbeddingRedisWritesDropped", {
            ...OF_REDIS,
            topic: "writes",
            // While Redis is down nothing is written, which other alerts say.
            expr: `sum by (colour) (rate(${METRICS.redisDropped}{reason!="down"}[5m])) > 0`,
            for: "5m",
            severity: "warning",
            summary: "Vectors of {{ $labels.colour }} are not kept",
            description: `{{ $value | humanize }} vectors a second are paid for and not written to Redis, which refuses them or is
                too slow for them.`,
        }),
        alert("EmbeddingRedisEntriesDamaged", {
            ...OF_REDIS,
            topic: "entries",
            expr: `sum by (colour) (increase(${METRICS.redisCorrupt}[15m])) > 0`,
            severity: "warning",
            summary: "{{ $labels.colour }} finds damaged entries in Redis",
            description: `In 15 minutes {{ $value | humanize }} entries were not of the form that the service writes. They are taken as
                misses and written anew.`,
        }),
    ];
}
