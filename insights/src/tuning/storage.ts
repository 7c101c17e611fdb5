import { JOBS } from "@property-search/contract";
import { quote, PrometheusError, type Prometheus, type Window } from "../prometheus/client.ts";

/** What entries take in Redis, mean over a window. Bytes are those of all servers, with their replicas. */
export interface Storage {
    readonly usedBytes: number;
    /** Undefined: not measured. */
    readonly limitBytes: number | undefined;
    /** Keys of the primaries. */
    readonly entries: number;
}

/** With fewer, the memory of an empty Redis would count as that of entries. */
const MIN_ENTRIES = 1_000;

/** @returns a string if it is not known, and why. @throws PrometheusError if Prometheus cannot be reached */
export async function readStorage(
    prometheus: Prometheus,
    { from, to }: Window,
): Promise<Storage | string> {
    const job = `{job=${quote(JOBS.redis)}}`;
    const range = `[${Math.ceil((to - from) * 1000)}ms]`;
    const valueOf = async (expression: string) => {
        const [found] = await prometheus.query(expression, to);
        return found?.samples.at(-1)?.[1];
    };
    try {
        const [used, limit, keys, primaries, servers] = await Promise.all([
            valueOf(`sum(avg_over_time(redis_memory_used_bytes${job}${range}))`),
            valueOf(`sum(last_over_time(redis_memory_max_bytes${job}${range}))`),
            valueOf(`sum(avg_over_time(redis_db_keys${job}${range}))`),
            valueOf(
                `count(last_over_time(redis_instance_info{job=${quote(JOBS.redis)},role="master"}${range}))`,
            ),
            valueOf(`count(last_over_time(redis_memory_used_bytes${job}${range}))`),
        ]);
        if (used === undefined || keys === undefined || servers === undefined)
            return "the memory and the entries of Redis are not measured";
        // Each replica has the keys of its primary.
        const entries = (keys * Math.min(primaries ?? servers, servers)) / servers;
        if (entries < MIN_ENTRIES)
            return `Redis has ${Math.round(entries)} entries, too few to estimate the cost of one; required: ${MIN_ENTRIES}`;
        return { usedBytes: used, limitBytes: limit, entries };
    } catch (error) {
        if (error instanceof PrometheusError && error.hasAnswered) return error.message;
        throw error;
    }
}
