import {
    GHOST_GROUPS,
    GHOST_TTLS_SECONDS,
    JOBS,
    METRICS,
    REUSE_DISTANCE_BUCKETS,
} from "@property-search/contract";
import { format, MODEL } from "./simulation.ts";

type Labels = Readonly<Record<string, string>>;

/** Unix seconds. */
export interface HistoryOptions {
    readonly from: number;
    readonly to: number;
    /** Fetches per day that the service makes, by the time. */
    readonly fetchesAt: (seconds: number) => number;
    /** Whether Prometheus runs. */
    readonly isUp?: (seconds: number) => boolean;
    /** Version of the service, by the time. */
    readonly versionAt?: (seconds: number) => string;
}

/** The service's interval of 15 s would only make the history larger. */
const STEP_SECONDS = 480;
const DAY = 86_400;
export const REQUESTS_PER_DAY = 100_000;
export const DOLLARS_PER_FETCH = 1e-5;
/** Redis has 100,000 entries in half of its memory, which costs $2 a day: an entry costs $1e-5 a day. */
export const ENTRIES = 100_000;
const STORAGE_DOLLARS_PER_HOUR = 2 / 24;
const [USED_BYTES, LIMIT_BYTES] = [2 ** 29, 2 ** 30];
/** A local cache of 2,000 entries answers half of the requests; a larger one hardly more. */
const shareOf = (entries: number) =>
    entries === Infinity ? 1 : 0.5 * Math.min(1, entries / 2_000);

/** Fetches per day of entries with a lifetime, of all groups together. */
export const fetchesOf = (ttl: number): number => 8_000 * (ttl / DAY) ** -0.5;

/** OpenMetrics of a service with one pod, whose counters grow evenly. */
export function tuningHistory(options: HistoryOptions): readonly string[] {
    const { from, to, fetchesAt, isUp = () => true, versionAt = () => "v1.0.0" } = options;
    const lines: string[] = [];
    const counters = new Map<string, number>();
    const startedAt = new Map<string, number>();
    for (let seconds = from; seconds <= to; seconds += STEP_SECONDS) {
        const version = versionAt(seconds);
        // The first one ran before.
        if (!startedAt.has(version))
            startedAt.set(version, seconds === from ? from - DAY : seconds);
        const pod = `pod-${version}`;
        const colour = "blue";
        const target = {
            ...{ job: JOBS.service, instance: `${pod}:8001`, pod, colour, version },
            namespace: "property-search-blue",
        };
        const write = (name: string, labels: Labels, value: number) => {
            if (isUp(seconds)) lines.push(`${name}${format(labels)} ${value} ${seconds}`);
        };
        const gauge = (name: string, labels: Labels, value: number) => {
            write(name, { ...target, ...labels }, value);
        };
        const count = (name: string, labels: Labels, perDay: number) => {
            const series = name + format({ ...target, ...labels });
            const value = (counters.get(series) ?? 0) + (perDay * STEP_SECONDS) / DAY;
            counters.set(series, value);
            if (isUp(seconds)) lines.push(`${series} ${value} ${seconds}`);
        };
        const fetches = fetchesAt(seconds);
        gauge("up", {}, 1);
        gauge("process_start_time_seconds", {}, startedAt.get(version) ?? NaN);
        gauge(METRICS.buildInfo, { provider: "openai", model: MODEL }, 1);
        gauge(METRICS.overheadRate, { kind: "storage" }, STORAGE_DOLLARS_PER_HOUR);
        gauge(METRICS.ghostMemory, {}, 30 * DAY);
        count(METRICS.lookups, { result: "hit_l1" }, REQUESTS_PER_DAY / 2);
        count(METRICS.lookups, { result: "hit_l2" }, REQUESTS_PER_DAY / 2 - fetches);
        count(METRICS.lookups, { result: "miss" }, fetches);
        count(METRICS.requests, { route: "/embed", code: "200" }, REQUESTS_PER_DAY);
        const bill = { tenant: "search", model: MODEL, purpose: "request" };
        count(METRICS.costBilled, bill, fetches * DOLLARS_PER_FETCH);
        count(METRICS.tokensBilled, bill, fetches * 100);
        for (let group = 0; group < GHOST_GROUPS; group += 1) {
            for (const ttl of GHOST_TTLS_SECONDS) {
                const labels = { group: String(group), ttl_seconds: String(ttl) };
                count(METRICS.ghostFetches, labels, fetchesOf(ttl) / GHOST_GROUPS);
            }
            const bounds = [...REUSE_DISTANCE_BUCKETS, Infinity];
            bounds.forEach((bound) => {
                const le = bound === Infinity ? "+Inf" : String(bound);
                const requests = shareOf(bound) * (REQUESTS_PER_DAY / GHOST_GROUPS);
                const name = `${METRICS.ghostReuseDistance}_bucket`;
                count(name, { group: String(group), le }, requests);
            });
        }
        const redis = { job: JOBS.redis, instance: "redis-0:9121", pod: "redis-0" };
        write("redis_memory_used_bytes", redis, USED_BYTES);
        write("redis_memory_max_bytes", redis, LIMIT_BYTES);
        write("redis_db_keys", { ...redis, db: "db0" }, ENTRIES);
        write("redis_instance_info", { ...redis, role: "master" }, 1);
    }
    return lines;
}
