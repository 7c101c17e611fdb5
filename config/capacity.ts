import { KNOWN_MODELS, MISSES_PER_CPU, parseCpu } from "@property-search/contract";
import { DEFAULT_SETTINGS, mostMebibytes } from "@property-search/contract/settings";
import { DATA_SHARE } from "../components/redis/settings.ts";
import { SETTINGS } from "./settings/index.ts";

/** What a deployment has to carry. docs/capacity.md explains each. */
export interface Workload {
    /** Different texts within the lifetime of an entry. */
    readonly texts: number;
    /** Mean requests per second, of one text each. */
    readonly requestsPerSecond: number;
    /** Requests per second at the peak, as a multiple of the mean. */
    readonly peak: number;
    /** Share of the requests that reach no upstream, from 0 to 1. */
    readonly hitRate: number;
    /** Mean tokens of a text. */
    readonly tokensPerText: number;
    /** The local model, or a model of an API. */
    readonly model: string;
    readonly precision: keyof typeof BYTES_PER_NUMBER;
    /** Whether clients ask for floats in place of base64. */
    readonly isFloat: boolean;
    readonly redisPrimaries: number;
    /** service.minReplicas: pods of a colour at least. */
    readonly minReplicas: number;
    /** service.cpuRequest of a pod, such as 500m. */
    readonly cpuRequest: string;
    readonly dollarsPerMillionTokens: number;
    readonly dollarsPerRequest: number;
    readonly podDollarsPerHour: number;
    readonly storageDollarsPerHour: number;
}

export interface Capacity {
    readonly dimensions: number;
    readonly bytesPerEntry: number;
    readonly redisBytes: number;
    readonly redisMemoryLimitBytes: number;
    readonly hitCpus: number;
    readonly missesPerSecond: number;
    readonly podsForHits: number;
    /** undefined with the model of an API: its own latency and limits decide. */
    readonly podsForMisses: number | undefined;
    readonly pods: number;
    readonly podMemoryMebibytes: number;
    readonly bytesPerResponse: number;
    readonly responseBytesPerSecond: number;
    readonly redisBytesPerSecond: number;
    readonly byToken: Money;
    readonly byRequest: Money;
}

/** Dollars in 30 days. */
export interface Money {
    readonly withoutCache: number;
    readonly billed: number;
    readonly saved: number;
    readonly overhead: number;
    readonly net: number;
}

/** Of a stored entry (app/src/vector/entry.ts). */
const ENTRY_HEADER_BYTES = 56;
export const BYTES_PER_NUMBER = { float32: 4, float16: 2, int8: 1 } as const;
/** Beside an entry, Redis keeps its key, its expiry and its tables; a test measures 170 to 191. */
export const REDIS_BYTES_PER_KEY = 200;
/** Overhead of a string in Redis. */
const STRING_BYTES = 6;
/** Requests per second that one core answers from Redis (docs/service/performance.md, `hits-redis`). */
export const REDIS_HITS_PER_CPU = 13_483;
/** Share of that which is planned with: other machines are slower, and requests come in bursts. */
const PLANNED_SHARE = 0.25;
/** Characters of a number of a vector as JSON (docs/service/performance.md: 19.4 kB for 1,536). */
const JSON_BYTES_PER_NUMBER = 19_400 / 1_536;
/** Head and envelope of a response. */
const RESPONSE_BYTES = 500;
const LOCAL_MODEL_DIMENSIONS = 384;
const SECONDS_PER_MONTH = 30 * 24 * 3_600;
const HOURS_PER_MONTH = 30 * 24;
const { default: CPU_PERCENT } = SETTINGS["autoscaling.cpuPercent"];

export const DEFAULT_WORKLOAD: Workload = {
    texts: 1_000_000,
    requestsPerSecond: 100,
    peak: 3,
    hitRate: 0.8,
    tokensPerText: 50,
    model: DEFAULT_SETTINGS.model,
    precision: DEFAULT_SETTINGS.cachePrecision,
    isFloat: false,
    redisPrimaries: 1,
    minReplicas: SETTINGS["service.minReplicas"].default,
    cpuRequest: SETTINGS["service.cpuRequest"].default,
    dollarsPerMillionTokens: 0.02,
    dollarsPerRequest: Number(DEFAULT_SETTINGS.costPerRequestDollars),
    podDollarsPerHour: 0.1,
    storageDollarsPerHour: 0.1,
};

/** @returns what a workload takes and earns, by the constants that the program and the service use */
export function planCapacity(workload: Workload): Capacity {
    const { requestsPerSecond, hitRate, precision, texts } = workload;
    const cpus = parseCpu(workload.cpuRequest) ?? NaN;
    const isLocal = !Object.hasOwn(KNOWN_MODELS, workload.model);
    const dimensions = KNOWN_MODELS[workload.model]?.dimensions ?? LOCAL_MODEL_DIMENSIONS;
    const bytesPerEntry = ENTRY_HEADER_BYTES + dimensions * BYTES_PER_NUMBER[precision];
    const redisBytes = texts * redisBytesOf(bytesPerEntry);
    const peakRequests = requestsPerSecond * workload.peak;
    const missesPerSecond = peakRequests * (1 - hitRate);

    const hitCpus = peakRequests / (REDIS_HITS_PER_CPU * PLANNED_SHARE);
    const podsForHits = Math.ceil(hitCpus / (cpus * (CPU_PERCENT / 100)));
    const podsForMisses = isLocal
        ? Math.ceil(missesPerSecond / (MISSES_PER_CPU * cpus))
        : undefined;
    const pods = Math.max(workload.minReplicas, podsForHits, podsForMisses ?? 0);

    const bytesPerResponse =
        RESPONSE_BYTES +
        (workload.isFloat
            ? dimensions * JSON_BYTES_PER_NUMBER
            : Math.ceil((dimensions * 4) / 3) * 4);
    const money = (dollarsPerSecond: number) => moneyOf(dollarsPerSecond, pods, workload);
    return {
        dimensions,
        bytesPerEntry,
        redisBytes,
        redisMemoryLimitBytes: redisBytes / workload.redisPrimaries / DATA_SHARE,
        hitCpus,
        missesPerSecond,
        podsForHits,
        podsForMisses,
        pods,
        podMemoryMebibytes: mostMebibytes({
            ...DEFAULT_SETTINGS,
            model: workload.model,
            provider: isLocal ? "local" : "openai",
        }),
        bytesPerResponse,
        responseBytesPerSecond: peakRequests * bytesPerResponse,
        redisBytesPerSecond: peakRequests * bytesPerEntry,
        byToken: money(
            (requestsPerSecond * workload.tokensPerText * workload.dollarsPerMillionTokens) / 1e6,
        ),
        byRequest: money(requestsPerSecond * workload.dollarsPerRequest),
    };
}

/** @returns what Redis allocates for an entry and its key: jemalloc has four sizes between powers of two */
export function redisBytesOf(bytesPerEntry: number): number {
    const bytes = bytesPerEntry + STRING_BYTES;
    const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
    return Math.ceil(bytes / step) * step + REDIS_BYTES_PER_KEY;
}

function moneyOf(dollarsPerSecond: number, pods: number, workload: Workload): Money {
    const withoutCache = dollarsPerSecond * SECONDS_PER_MONTH;
    const saved = withoutCache * workload.hitRate;
    // Both colours run their pods: the idle one its least number of them.
    const overhead =
        ((pods + workload.minReplicas) * workload.podDollarsPerHour +
            workload.storageDollarsPerHour) *
        HOURS_PER_MONTH;
    return { withoutCache, billed: withoutCache - saved, saved, overhead, net: saved - overhead };
}
