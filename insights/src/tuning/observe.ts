import { GHOST_GROUPS, METRICS } from "@property-search/contract";
import { analyse } from "../analysis/analyse.ts";
import type { Report } from "../analysis/report.ts";
import { addMeasured, createTotals, MISS, type Totals } from "../analysis/totals.ts";
import type { Prometheus, Window } from "../prometheus/client.ts";
import { readCounts } from "../prometheus/counters.ts";
import { readProcesses } from "../prometheus/processes.ts";
import { dayOf, type Day } from "./decide.ts";
import type { Evidence, LocalCacheEvidence, TtlEvidence } from "./evidence.ts";
import { readStorage, type Storage } from "./storage.ts";

export interface ObserveOptions {
    readonly prometheus: Prometheus;
    readonly window: Window;
    /** Undefined: the storage's hourly cost over the memory limit of Redis. */
    readonly dollarsPerGibHour: number | undefined;
    readonly staleSeconds: number;
    readonly now: Date;
}

const DAY_SECONDS = 86_400;
const GIB = 2 ** 30;

/**
 * Reads what a window shows about the settings.
 *
 * @throws PrometheusError if Prometheus cannot be reached
 */
export async function observe(options: ObserveOptions): Promise<Day> {
    const { prometheus, window, now } = options;
    const report = await analyse({ prometheus, window, hotKeys: "not needed", now });
    const problem = findProblem(report);
    const [from, to] = [window.from * 1000, window.to * 1000];
    const day = { day: dayOf(to), from, to };
    if (problem !== undefined) return { ...day, evidence: problem };
    const { processes } = await readProcesses(prometheus, window);
    const totals = createTotals((await readCounts(prometheus, processes, window)).growths);
    const storage = await readStorage(prometheus, window);
    const [memory] = await prometheus.query(`min(${METRICS.ghostMemory})`, window.to);
    const evidence: Evidence = {
        cacheTtlSeconds: ttlEvidence(report, totals, storage, {
            ...options,
            memorySeconds: memory?.samples.at(-1)?.[1],
        }),
        localCacheMaxEntries: localCacheEvidence(report, totals),
    };
    return { ...day, evidence };
}

/** @returns why a window must not decide anything */
function findProblem({ completeness, window, releases }: Report): string | undefined {
    const { state, gaps, problems } = completeness;
    if (state === "not measured") return "Prometheus has no counts of this day";
    if (window.hours !== 24) return `the window has ${window.hours} hours; required: 24`;
    if (state === "partial") {
        const reason = problems[0] ?? gaps.find(({ losesCounts }) => losesCounts)?.reason ?? "";
        return `counts of this day are missing: ${reason}`;
    }
    const versions = new Set(
        releases.map(({ version, model }) => JSON.stringify([version, model])),
    );
    if (versions.size > 1)
        return `${releases.map(({ colour, version }) => `${colour} ${version}`).join(" and ")} answered requests: there was a release`;
    return undefined;
}

interface TtlOptions extends Pick<ObserveOptions, "window" | "dollarsPerGibHour" | "staleSeconds"> {
    readonly memorySeconds: number | undefined;
}

function ttlEvidence(
    { lookups, cost }: Report,
    totals: Totals,
    storage: Storage | string,
    { window, dollarsPerGibHour, staleSeconds, memorySeconds }: TtlOptions,
): TtlEvidence | string {
    const seconds = window.to - window.from;
    const perDay = (count: number) => (count * DAY_SECONDS) / seconds;
    const ttls = totals
        .values(METRICS.ghostFetches, "ttl_seconds")
        .map(Number)
        .sort((a, b) => a - b);
    if (ttls.length === 0 || memorySeconds === undefined)
        return "the service exports no fetches of ghost caches (they need Redis)";
    const dropped = totals.sum(METRICS.ghostDropped) ?? 0;
    if (dropped > 0.01 * (lookups.total ?? 0))
        return `the ghost caches have missed ${Math.round(dropped)} requests, as Redis was unavailable`;
    const fetches = Array.from({ length: GHOST_GROUPS }, (_, group) =>
        ttls.map((ttl) =>
            perDay(
                totals.sum(METRICS.ghostFetches, {
                    group: String(group),
                    ttl_seconds: String(ttl),
                }) ?? 0,
            ),
        ),
    );
    const misses = lookups.byTier[MISS] ?? null;
    const { billedForRequests, billedByPurpose, storage: storageDollars } = cost;
    if (misses === null || misses <= 0 || billedForRequests === null)
        return "misses or their cost are not measured";
    const dollarsPerFetch = billedForRequests / misses;
    const refreshes = (billedByPurpose.refresh ?? 0) / (dollarsPerFetch || Infinity);
    if (typeof storage === "string") return storage;
    const dollarsPerHour =
        dollarsPerGibHour === undefined
            ? storageShare(storageDollars, seconds, storage)
            : (dollarsPerGibHour * storage.usedBytes) / GIB;
    if (typeof dollarsPerHour === "string") return dollarsPerHour;
    return {
        ttls,
        fetches,
        memorySeconds,
        measuredFetches: perDay(misses + refreshes),
        dollarsPerFetch,
        dollarsPerEntrySecond: dollarsPerHour / 3_600 / storage.entries,
        staleSeconds,
    };
}

/** The used part of what storage costs: Redis would be smaller with fewer entries. Dollars per hour. */
function storageShare(
    dollars: number | null,
    seconds: number,
    { usedBytes, limitBytes }: Storage,
): number | string {
    if (dollars === null || dollars <= 0)
        return "the price of storage is not known (service.storageCostPerHourDollars, or --storage-dollars-per-gib-hour)";
    if (limitBytes === undefined || limitBytes <= 0)
        return "the memory limit of Redis is not known, so that the price of an entry is not (--storage-dollars-per-gib-hour)";
    return ((dollars * 3_600) / seconds) * (usedBytes / limitBytes);
}

function localCacheEvidence({ lookups }: Report, totals: Totals): LocalCacheEvidence | string {
    const counts = totals.buckets(METRICS.ghostReuseDistance, () => true);
    const bounds = counts.map(([bound]) => bound).filter(Number.isFinite);
    const all = counts.find(([bound]) => bound === Infinity)?.[1] ?? 0;
    const { total, byTier } = lookups;
    if (all <= 0 || total === null || total <= 0)
        return "the service exports no reuse distances of ghost caches";
    const entries = bounds.sort((a, b) => a - b);
    const countOf = new Map(counts);
    const share = (tier: "HIT-L1" | "HIT-L2") => (addMeasured([byTier[tier]]) ?? 0) / total;
    return {
        entries,
        hitShares: entries.map((bound) => (countOf.get(bound) ?? 0) / all),
        measuredShare: share("HIT-L1"),
        redisShare: share("HIT-L2"),
    };
}
