import { JOBS, METRICS } from "@property-search/contract";
import { createDashboard, type Row } from "./dashboard.ts";
import { percentToRatio } from "../alerts/recording.ts";
import type { DashboardsOptions } from "./options.ts";
import { lowIsGood, highIsGood } from "./palette.ts";
import { graphPanel, statPanel } from "./panels.ts";
import { withoutNaN, quantile, query, rate } from "./queries.ts";
import { UNITS } from "./units.ts";

const REDIS_SELECTOR = `{job="${JOBS.redis}"}`;
/** Redis reports 0 if it has no limit; the ratio is then absent. */
const MEMORY_RATIO = `redis_memory_used_bytes${REDIS_SELECTOR} / (redis_memory_max_bytes${REDIS_SELECTOR} > 0)`;

/** For the operator of Redis: its own metrics, and those of the service as its client. */
export function redisDashboard(options: DashboardsOptions): object {
    const exporter = options.thresholds.jobs.includes(JOBS.redis);
    return createDashboard({
        uid: "property-search-redis",
        title: "Redis",
        description: "Redis by the metrics of the service and of its own exporter.",
        from: "now-6h",
        rows: [
            { panels: [...clientPanels(), ...(exporter ? exporterPanels(options) : [])] },
            clientRow(),
            ...(exporter ? [memoryRow(options), commandsRow(), replicationRow()] : []),
        ],
    });
}

function clientPanels() {
    return [
        statPanel({
            id: 1,
            title: "Pods connected",
            description:
                "Ratio of the service's pods whose circuit breaker is closed. The others answer from their local " +
                "cache and the upstream.",
            unit: UNITS.ratio,
            width: 4,
            steps: highIsGood(1, 0.5),
            queries: [query(`avg(${METRICS.redisUp})`, "connected")],
        }),
        statPanel({
            id: 2,
            title: "Read p95",
            description:
                "95th percentile of the duration of successful reads, as the service measures it.",
            unit: UNITS.seconds,
            width: 4,
            noValue: "idle",
            queries: [
                query(
                    withoutNaN(
                        quantile(0.95, METRICS.redisOperationTime, [], '{operation="read"}'),
                    ),
                    "read",
                ),
            ],
        }),
    ];
}

function exporterPanels({
    thresholds: { redisMemoryPercent, redisEvictionsPerSecond },
}: DashboardsOptions) {
    return [
        statPanel({
            id: 3,
            title: "Nodes up",
            description: "Redis nodes that the exporter can reach.",
            unit: UNITS.count,
            width: 4,
            steps: highIsGood(1),
            queries: [query(`sum(redis_up${REDIS_SELECTOR})`, "up")],
        }),
        statPanel({
            id: 4,
            title: "Memory",
            description:
                "Used memory over the limit of the fullest node. Full is normal for a cache; persistent evictions are not.",
            unit: UNITS.ratio,
            width: 4,
            noValue: "no limit",
            steps: lowIsGood(percentToRatio(redisMemoryPercent)),
            queries: [query(`max(${MEMORY_RATIO})`, "used")],
        }),
        statPanel({
            id: 5,
            title: "Evictions",
            description: "Unexpired entries per second that were evicted for newer ones.",
            unit: UNITS.operationsPerSecond,
            width: 4,
            steps: lowIsGood(redisEvictionsPerSecond),
            queries: [query(`sum(${exporterRate("evicted_keys_total")})`, "evicted")],
        }),
        statPanel({
            id: 6,
            title: "Entries",
            description: "Keys of all nodes, including copies on replicas.",
            unit: UNITS.count,
            width: 4,
            queries: [query(`sum(redis_db_keys${REDIS_SELECTOR})`, "keys")],
        }),
    ];
}

function clientRow(): Row {
    const panel = { width: 8, unit: UNITS.operationsPerSecond } as const;
    return {
        id: 100,
        title: "Redis as seen by the service",
        panels: [
            graphPanel({
                ...panel,
                id: 10,
                title: "Operations",
                description:
                    "Successful operations. lease and release ensure that a single pod calls the upstream.",
                queries: [
                    query(
                        `sum by (operation) (${rate(`${METRICS.redisOperationTime}_count`)})`,
                        "{{operation}}",
                    ),
                ],
            }),
            graphPanel({
                id: 11,
                title: "Operation p95",
                description:
                    "95th percentile of the duration. An operation that times out counts as failed.",
                unit: UNITS.seconds,
                width: 8,
                queries: [
                    query(
                        quantile(0.95, METRICS.redisOperationTime, ["operation"]),
                        "{{operation}}",
                    ),
                ],
            }),
            graphPanel({
                ...panel,
                id: 12,
                title: "Failed operations",
                description: "Operations that timed out or returned an error.",
                queries: [
                    query(`sum by (operation) (${rate(METRICS.redisErrors)})`, "{{operation}}"),
                ],
            }),
            graphPanel({
                id: 13,
                title: "Circuit breakers",
                description: "Ratio of each colour's pods whose circuit breaker is closed.",
                unit: UNITS.ratio,
                width: 8,
                stepped: true,
                max: 1,
                queries: [query(`avg by (colour) (${METRICS.redisUp})`, "{{colour}}")],
            }),
            graphPanel({
                ...panel,
                id: 14,
                title: "Entries not written",
                description:
                    "full: the write queue is full; down: the circuit breaker is open; error: Redis rejected it.",
                queries: [query(`sum by (reason) (${rate(METRICS.redisDropped)})`, "{{reason}}")],
            }),
            graphPanel({
                ...panel,
                id: 15,
                title: "Corrupted entries",
                description: "Entries that could not be decoded; they count as misses.",
                queries: [query(`sum(${rate(METRICS.redisCorrupt)})`, "corrupted")],
            }),
        ],
    };
}

function memoryRow({ thresholds: { redisEvictionsPerSecond } }: DashboardsOptions): Row {
    return {
        id: 101,
        title: "Memory",
        panels: [
            graphPanel({
                id: 20,
                title: "Memory",
                description: "Used memory and limit of each node.",
                unit: UNITS.bytes,
                width: 8,
                queries: [
                    query(`redis_memory_used_bytes${REDIS_SELECTOR}`, "{{pod}} used"),
                    query(`redis_memory_max_bytes${REDIS_SELECTOR}`, "{{pod}} limit"),
                ],
            }),
            graphPanel({
                id: 21,
                title: "Removed entries",
                description:
                    "evicted: removed because memory was full; expired: reached their TTL.",
                unit: UNITS.operationsPerSecond,
                width: 8,
                steps: lowIsGood(redisEvictionsPerSecond),
                queries: [
                    query(`sum(${exporterRate("evicted_keys_total")})`, "evicted"),
                    query(`sum(${exporterRate("expired_keys_total")})`, "expired"),
                ],
            }),
            graphPanel({
                id: 22,
                title: "Fragmentation",
                description:
                    "Resident memory over used memory of each node. Far above 1, memory is wasted.",
                unit: UNITS.count,
                width: 8,
                queries: [query(`redis_mem_fragmentation_ratio${REDIS_SELECTOR}`, "{{pod}}")],
            }),
        ],
    };
}

function commandsRow(): Row {
    return {
        id: 102,
        title: "Commands and connections",
        panels: [
            graphPanel({
                id: 30,
                title: "Commands",
                description: "Calls per second of the ten most used commands.",
                unit: UNITS.operationsPerSecond,
                width: 8,
                queries: [
                    query(`topk(10, sum by (cmd) (${exporterRate("commands_total")}))`, "{{cmd}}"),
                ],
            }),
            graphPanel({
                id: 31,
                title: "Command duration",
                description:
                    "Mean time inside Redis. The rest of what the service measures is the network.",
                unit: UNITS.seconds,
                width: 8,
                queries: [
                    query(
                        `topk(10, sum by (cmd) (${exporterRate("commands_duration_seconds_total")})` +
                            ` / (sum by (cmd) (${exporterRate("commands_total")}) > 0))`,
                        "{{cmd}}",
                    ),
                ],
            }),
            graphPanel({
                id: 32,
                title: "Keyspace hits and misses",
                description:
                    "Reads of all clients. The service's hit rate differs, since it includes the pods' local caches.",
                unit: UNITS.operationsPerSecond,
                width: 8,
                stacked: true,
                queries: [
                    query(`sum(${exporterRate("keyspace_hits_total")})`, "hits"),
                    query(`sum(${exporterRate("keyspace_misses_total")})`, "misses"),
                ],
            }),
            graphPanel({
                id: 33,
                title: "Clients",
                description: "Connections to each node.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                queries: [query(`redis_connected_clients${REDIS_SELECTOR}`, "{{pod}}")],
            }),
            graphPanel({
                id: 34,
                title: "Rejected connections",
                description:
                    "Connections per second that were rejected because maxclients was reached.",
                unit: UNITS.operationsPerSecond,
                width: 8,
                queries: [query(`sum(${exporterRate("rejected_connections_total")})`, "rejected")],
            }),
            graphPanel({
                id: 35,
                title: "Network",
                description: "Bytes per second of all nodes.",
                unit: UNITS.bytesPerSecond,
                width: 8,
                queries: [
                    query(`sum(${exporterRate("net_input_bytes_total")})`, "in"),
                    query(`sum(${exporterRate("net_output_bytes_total")})`, "out"),
                ],
            }),
        ],
    };
}

function replicationRow(): Row {
    return {
        id: 103,
        title: "Replication",
        panels: [
            graphPanel({
                id: 40,
                title: "Roles",
                description: "Nodes by role. After a failover the sum is unchanged.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                stacked: true,
                queries: [
                    query(`count by (role) (redis_instance_info${REDIS_SELECTOR})`, "{{role}}"),
                ],
            }),
            graphPanel({
                id: 41,
                title: "Replicas",
                description: "Connected replicas of each node; none with a single server.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                queries: [query(`redis_connected_slaves${REDIS_SELECTOR}`, "{{pod}}")],
            }),
            graphPanel({
                id: 42,
                title: "Uptime",
                description: "Time since each node started; a drop is a restart.",
                unit: UNITS.seconds,
                width: 8,
                queries: [query(`redis_uptime_in_seconds${REDIS_SELECTOR}`, "{{pod}}")],
            }),
        ],
    };
}

/** Rate of a counter of the exporter. */
function exporterRate(counter: string): string {
    return rate(`redis_${counter}${REDIS_SELECTOR}`);
}
