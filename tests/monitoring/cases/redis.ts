import { METRICS, NAMESPACES } from "@property-search/contract";
import type { Case } from "../../support/monitoring/cases.ts";
import { counter, gauge } from "../../support/monitoring/samples.ts";
import { counterCases, gaugeCases } from "./common.ts";

const NODE = 'instance="redis-0:6379"';
const LABELS = `service="redis",namespace="${NAMESPACES.data}"`;
const OF_NODE = `${LABELS},${NODE}`;
const OF_BLUE = `${LABELS},colour="blue"`;
const seenBy = (pod: string) => `${METRICS.redisUp}{colour="blue",pod="${pod}"}`;
const DYING = gauge([
    [1, 5],
    [0, 5],
    [1, 20],
]);
const WELL = gauge([[1, 60]]);

export const REDIS_CASES: Readonly<Record<string, readonly Case[]>> = {
    RedisDown: [
        ...gaugeCases({
            series: `redis_up{${NODE}}`,
            good: 1,
            bad: 0,
            minutes: 1,
            labels: OF_NODE,
            others: { [seenBy("a")]: WELL },
        }),
        {
            why: "where the exporter sees nothing, the service does",
            series: { [seenBy("a")]: DYING, [seenBy("b")]: DYING },
            at: { "4m": [], "5m45s": [], "6m": [`${LABELS},instance="all"`], "11m": [] },
        },
        {
            why: "one pod's trouble is its own",
            series: { [seenBy("a")]: DYING, [seenBy("b")]: WELL },
            at: { "4m": [], "8m": [] },
        },
        {
            why: "says which node it is",
            series: { [`redis_up{${NODE}}`]: WELL, 'redis_up{instance="redis-1:6379"}': DYING },
            at: { "8m": [`${LABELS},instance="redis-1:6379"`] },
        },
    ],
    EmbeddingRedisUnreachable: [
        ...gaugeCases({
            series: seenBy("a"),
            good: 1,
            bad: 0,
            minutes: 2,
            labels: OF_BLUE,
        }),
        {
            why: "one pod of several is enough, and green's are green's",
            series: {
                [seenBy("a")]: DYING,
                [seenBy("b")]: WELL,
                [`${METRICS.redisUp}{colour="green",pod="c"}`]: WELL,
            },
            at: { "8m": [OF_BLUE] },
        },
    ],
    RedisClusterFailed: gaugeCases({
        series: `redis_cluster_state{${NODE}}`,
        good: 1,
        bad: 0,
        minutes: 1,
        labels: OF_NODE,
    }),
    RedisReplicationBroken: gaugeCases({
        series: `redis_master_link_up{${NODE}}`,
        good: 1,
        bad: 0,
        minutes: 5,
        labels: OF_NODE,
    }),
    RedisConnectionsRejected: counterCases({
        series: `redis_rejected_connections_total{${NODE}}`,
        minutes: 1,
        labels: OF_NODE,
    }),
    RedisMemoryNearLimit: [
        ...gaugeCases({
            series: `redis_memory_used_bytes{${NODE}}`,
            good: 94,
            bad: 96,
            minutes: 10,
            labels: OF_NODE,
            others: { [`redis_memory_max_bytes{${NODE}}`]: gauge([[100, 60]]) },
        }),
        {
            why: "without a limit there is none to be near",
            series: {
                [`redis_memory_used_bytes{${NODE}}`]: gauge([[96, 60]]),
                [`redis_memory_max_bytes{${NODE}}`]: gauge([[0, 60]]),
            },
            at: { "30m": [] },
        },
    ],
    RedisEvicting: [
        ...counterCases({
            series: `redis_evicted_keys_total{${NODE}}`,
            bad: 400,
            minutes: 10,
            labels: OF_NODE,
        }),
        {
            why: "a few evictions are what a full cache does",
            series: { [`redis_evicted_keys_total{${NODE}}`]: counter([[9, 40]]) },
            at: { "30m": [] },
        },
        {
            why: "a few more are too many",
            series: { [`redis_evicted_keys_total{${NODE}}`]: counter([[11, 40]]) },
            at: { "30m": [OF_NODE] },
        },
    ],
    EmbeddingRedisWritesDropped: [
        ...counterCases({
            series: `${METRICS.redisDropped}{colour="blue",pod="a",reason="full"}`,
            minutes: 5,
            labels: OF_BLUE,
        }),
        {
            why: "while Redis is down nothing can be written",
            series: {
                [`${METRICS.redisDropped}{colour="blue",pod="a",reason="down"}`]: counter([
                    [5, 30],
                ]),
            },
            at: { "20m": [] },
        },
    ],
    EmbeddingRedisEntriesCorrupted: [
        {
            why: "fires immediately, and resolves",
            series: {
                [`${METRICS.redisCorrupt}{colour="blue",pod="a"}`]: counter([
                    [0, 20],
                    [0.1, 2],
                    [0, 30],
                ]),
            },
            at: { "19m": [], "21m": [OF_BLUE], "30m": [OF_BLUE], "38m": [] },
        },
        {
            why: "a restarted pod does not fire",
            series: {
                [`${METRICS.redisCorrupt}{colour="blue",pod="a"}`]: counter([
                    [0, 20],
                    "reset",
                    [0, 20],
                ]),
            },
            at: { "21m": [] },
        },
    ],
};
