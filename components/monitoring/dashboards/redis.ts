import { JOBS, METRICS } from "@property-search/contract";
import { dashboard, type Row } from "./dashboard.ts";
import { shareOf } from "../alerts/recording.ts";
import type { DashboardsOptions } from "./options.ts";
import { goodBelow, goodFrom } from "./palette.ts";
import { graph, stat } from "./panels.ts";
import { ifAny, quantile, query, rate } from "./queries.ts";
import { UNITS } from "./units.ts";

const OF_REDIS = `{job="${JOBS.redis}"}`;
/** Redis answers 0 where it has no limit, and a share of nothing is none. */
const FILLED = `redis_memory_used_bytes${OF_REDIS} / (redis_memory_max_bytes${OF_REDIS} > 0)`;

/** For whoever looks after Redis: what it says of itself, beside what the service sees of it. */
export function redisDashboard(options: DashboardsOptions): object {
    const exporter = options.thresholds.jobs.includes(JOBS.redis);
    return dashboard({
        uid: "property-search-redis",
        title: "Redis",
        description: "Redis as the service sees it, and as it sees itself.",
        from: "now-6h",
        rows: [
            { panels: [...glance(), ...(exporter ? ownGlance(options) : [])] },
            servicesView(),
            ...(exporter ? [memory(options), work(), replication()] : []),
        ],
    });
}

function glance() {
    return [
        stat({
            id: 1,
            title: "The service reaches it",
            description:
                "Share of the service's pods whose breaker is closed. A pod without Redis answers from its own memory " +
                "and the upstream.",
            unit: UNITS.ratio,
            width: 4,
            steps: goodFrom(1, 0.5),
            queries: [query(`avg(${METRICS.redisUp})`, "reached")],
        }),
        stat({
            id: 2,
            title: "p95 of a read",
            description:
                "Seconds that the service waits for Redis, of those reads that it answered.",
            unit: UNITS.seconds,
            width: 4,
            absent: "idle",
            queries: [
                query(
                    ifAny(quantile(0.95, METRICS.redisOperationTime, [], '{operation="read"}')),
                    "read",
                ),
            ],
        }),
    ];
}

function ownGlance({ thresholds: { redis } }: DashboardsOptions) {
    return [
        stat({
            id: 3,
            title: "Nodes that answer",
            description: "Redis nodes that the exporter reaches.",
            unit: UNITS.count,
            width: 4,
            steps: goodFrom(1),
            queries: [query(`sum(redis_up${OF_REDIS})`, "up")],
        }),
        stat({
            id: 4,
            title: "Memory",
            description:
                "Of the fullest node, over its limit. Full is normal for a cache; evictions that do not end are not.",
            unit: UNITS.ratio,
            width: 4,
            absent: "no limit",
            steps: goodBelow(shareOf(redis.memoryPercent)),
            queries: [query(`max(${FILLED})`, "used")],
        }),
        stat({
            id: 5,
            title: "Evictions",
            description: "Entries a second that gave way to newer ones before their time.",
            unit: UNITS.operationsPerSecond,
            width: 4,
            steps: goodBelow(redis.evictionsPerSecond),
            queries: [query(`sum(${own("evicted_keys_total")})`, "evicted")],
        }),
        stat({
            id: 6,
            title: "Entries",
            description: "Keys of all nodes; a replica's copies count as well.",
            unit: UNITS.count,
            width: 4,
            queries: [query(`sum(redis_db_keys${OF_REDIS})`, "keys")],
        }),
    ];
}

function servicesView(): Row {
    const panel = { width: 8, unit: UNITS.operationsPerSecond } as const;
    return {
        id: 100,
        title: "As the service sees it",
        panels: [
            graph({
                ...panel,
                id: 10,
                title: "Operations",
                description:
                    "That Redis answered. lease and release let one pod of all ask the upstream.",
                queries: [
                    query(
                        `sum by (operation) (${rate(`${METRICS.redisOperationTime}_count`)})`,
                        "{{operation}}",
                    ),
                ],
            }),
            graph({
                id: 11,
                title: "p95 of operations",
                description:
                    "Seconds. An operation ends at its time limit; then it counts as failed.",
                unit: UNITS.seconds,
                width: 8,
                queries: [
                    query(
                        quantile(0.95, METRICS.redisOperationTime, ["operation"]),
                        "{{operation}}",
                    ),
                ],
            }),
            graph({
                ...panel,
                id: 12,
                title: "Failed operations",
                description: "That Redis did not answer in time, or answered with an error.",
                queries: [
                    query(`sum by (operation) (${rate(METRICS.redisErrors)})`, "{{operation}}"),
                ],
            }),
            graph({
                id: 13,
                title: "Breakers",
                description:
                    "Share of each colour's pods that use Redis; the others have found it failing.",
                unit: UNITS.ratio,
                width: 8,
                stepped: true,
                max: 1,
                queries: [query(`avg by (colour) (${METRICS.redisUp})`, "{{colour}}")],
            }),
            graph({
                ...panel,
                id: 14,
                title: "Entries not written",
                description:
                    "full: too many wait; down: its breaker is open; error: Redis refused.",
                queries: [query(`sum by (reason) (${rate(METRICS.redisDropped)})`, "{{reason}}")],
            }),
            graph({
                ...panel,
                id: 15,
                title: "Damaged entries",
                description: "Found damaged or of another form, and taken for misses.",
                queries: [query(`sum(${rate(METRICS.redisCorrupt)})`, "damaged")],
            }),
        ],
    };
}

function memory({ thresholds: { redis } }: DashboardsOptions): Row {
    return {
        id: 101,
        title: "Memory",
        panels: [
            graph({
                id: 20,
                title: "Memory",
                description: "Used by each node, and its limit.",
                unit: UNITS.bytes,
                width: 8,
                queries: [
                    query(`redis_memory_used_bytes${OF_REDIS}`, "{{pod}} used"),
                    query(`redis_memory_max_bytes${OF_REDIS}`, "{{pod}} limit"),
                ],
            }),
            graph({
                id: 21,
                title: "Entries that went",
                description: "evicted: for want of memory; expired: their time was over.",
                unit: UNITS.operationsPerSecond,
                width: 8,
                steps: goodBelow(redis.evictionsPerSecond),
                queries: [
                    query(`sum(${own("evicted_keys_total")})`, "evicted"),
                    query(`sum(${own("expired_keys_total")})`, "expired"),
                ],
            }),
            graph({
                id: 22,
                title: "Fragmentation",
                description:
                    "Resident memory over used memory of each node: far above 1 it is waste.",
                unit: UNITS.count,
                width: 8,
                queries: [query(`redis_mem_fragmentation_ratio${OF_REDIS}`, "{{pod}}")],
            }),
        ],
    };
}

function work(): Row {
    return {
        id: 102,
        title: "Work",
        panels: [
            graph({
                id: 30,
                title: "Commands",
                description: "A second, of the ten most used.",
                unit: UNITS.operationsPerSecond,
                width: 8,
                queries: [query(`topk(10, sum by (cmd) (${own("commands_total")}))`, "{{cmd}}")],
            }),
            graph({
                id: 31,
                title: "Time of a command",
                description:
                    "Mean seconds inside Redis; what the service waits beyond that is the network.",
                unit: UNITS.seconds,
                width: 8,
                queries: [
                    query(
                        `topk(10, sum by (cmd) (${own("commands_duration_seconds_total")})` +
                            ` / (sum by (cmd) (${own("commands_total")}) > 0))`,
                        "{{cmd}}",
                    ),
                ],
            }),
            graph({
                id: 32,
                title: "Keys found",
                description:
                    "Of all reads of all clients. It is not the service's hit rate, which counts what its pods' own memory answers too.",
                unit: UNITS.operationsPerSecond,
                width: 8,
                stacked: true,
                queries: [
                    query(`sum(${own("keyspace_hits_total")})`, "found"),
                    query(`sum(${own("keyspace_misses_total")})`, "not found"),
                ],
            }),
            graph({
                id: 33,
                title: "Clients",
                description: "Connections to each node.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                queries: [query(`redis_connected_clients${OF_REDIS}`, "{{pod}}")],
            }),
            graph({
                id: 34,
                title: "Refused connections",
                description: "A second, for want of a free place among the clients.",
                unit: UNITS.operationsPerSecond,
                width: 8,
                queries: [query(`sum(${own("rejected_connections_total")})`, "refused")],
            }),
            graph({
                id: 35,
                title: "Network",
                description: "Bytes a second of all nodes.",
                unit: UNITS.bytesPerSecond,
                width: 8,
                queries: [
                    query(`sum(${own("net_input_bytes_total")})`, "in"),
                    query(`sum(${own("net_output_bytes_total")})`, "out"),
                ],
            }),
        ],
    };
}

function replication(): Row {
    return {
        id: 103,
        title: "Replication",
        panels: [
            graph({
                id: 40,
                title: "Roles",
                description: "Nodes by role. After a failover the sum is the same again.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                stacked: true,
                queries: [query(`count by (role) (redis_instance_info${OF_REDIS})`, "{{role}}")],
            }),
            graph({
                id: 41,
                title: "Replicas",
                description: "That each node feeds; none where Redis stands alone.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                queries: [query(`redis_connected_slaves${OF_REDIS}`, "{{pod}}")],
            }),
            graph({
                id: 42,
                title: "Up for",
                description: "Seconds since each node began; a fall is a restart.",
                unit: UNITS.seconds,
                width: 8,
                queries: [query(`redis_uptime_in_seconds${OF_REDIS}`, "{{pod}}")],
            }),
        ],
    };
}

/** Rate of one of the exporter's counters. */
function own(counter: string): string {
    return rate(`redis_${counter}${OF_REDIS}`);
}
