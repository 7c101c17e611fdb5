import { JOBS } from "@property-search/contract";
import { quote, type Labels, type Prometheus, type Sample, type Window } from "./client.ts";
import { targetOf } from "./processes.ts";

/** Memory and evictions of one Redis server, from redis_exporter. */
export interface RedisServer {
    readonly name: string;
    readonly meanUsedBytes: number;
    readonly maxUsedBytes: number;
    /** 0: no limit is configured; undefined: not measured. */
    readonly limitBytes: number | undefined;
    /** Undefined: not measured. */
    readonly evictedKeys: number | undefined;
    readonly expiredKeys: number | undefined;
    /** Share of the window with samples, 0–1. */
    readonly coveredShare: number;
}

const USED = "redis_memory_used_bytes";
const LIMIT = "redis_memory_max_bytes";
const EVICTED = "redis_evicted_keys_total";
const EXPIRED = "redis_expired_keys_total";

/**
 * Reads the servers of the cache. Keys are counted from sample to sample; after a restart of Redis, its counter counts from
 * 0 again.
 *
 * @throws PrometheusError
 */
export async function readRedis(
    prometheus: Prometheus,
    window: Window,
    intervalSeconds: number,
): Promise<readonly RedisServer[]> {
    const seconds = window.to - window.from;
    const job = `{job=${quote(JOBS.redis)}}`;
    const over = async (fn: string, metric: string) => {
        const range = `${metric}${job}[${Math.ceil(seconds * 1000)}ms]`;
        const found = await prometheus.query(`${fn}(${range})`, window.to);
        return new Map(
            found.map(({ labels, samples }) => [nameOf(labels), samples.at(-1)?.[1] ?? NaN]),
        );
    };
    const grown = async (metric: string) => {
        const found = await prometheus.readSamples(`${metric}${job}`, window);
        return new Map(found.map(({ labels, samples }) => [nameOf(labels), growthOf(samples)]));
    };
    const [mean, max, counts, limit, evicted, expired] = await Promise.all([
        over("avg_over_time", USED),
        over("max_over_time", USED),
        over("count_over_time", USED),
        over("last_over_time", LIMIT),
        grown(EVICTED),
        grown(EXPIRED),
    ]);
    return [...mean]
        .map(([name, meanUsedBytes]) => ({
            name,
            meanUsedBytes,
            maxUsedBytes: max.get(name) ?? NaN,
            limitBytes: limit.get(name),
            evictedKeys: evicted.get(name),
            expiredKeys: expired.get(name),
            coveredShare: Math.min(1, ((counts.get(name) ?? 0) * intervalSeconds) / seconds),
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nameOf(labels: Labels): string {
    const { pod, instance } = targetOf(labels);
    return pod ?? instance ?? "redis";
}

/** Sum of the differences of a counter; after a reset, it counts from 0. */
export function growthOf(samples: readonly Sample[]): number {
    return samples.reduce((sum, [, value], at) => {
        const previous = samples[at - 1]?.[1];
        if (previous === undefined) return sum;
        return sum + (value >= previous ? value - previous : value);
    }, 0);
}
