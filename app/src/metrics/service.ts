import {
    CACHE_RESULTS,
    METRICS,
    PATHS,
    REJECTION_REASONS,
    RESPONSE_TIME_BUCKETS,
    type CacheResult,
    type RejectionReason,
} from "@property-search/contract";
import type { Registry } from "prom-client";

import type { ResponseTotals } from "../cache/responseTotals.ts";
import { createFamilies, mapKeys, type HistogramSeries, type CounterSeries } from "./families.ts";
import { createTenantLabels } from "./tenantLabels.ts";
import { startHitWindow } from "./hitWindow.ts";

export type Route = (typeof ROUTES)[number];

/** Metrics of client requests. */
export interface ServiceMetrics {
    readonly onResponse: (account: ResponseTotals) => void;
    /** Items of a failed request. */
    readonly onItemsFailed: (items: number) => void;
    readonly onRequestStart: () => void;
    readonly onRequestEnd: (
        route: Route,
        result: CacheResult,
        code: number,
        seconds: number,
    ) => void;
    /** A tenant's limits rejected a request. */
    readonly onRejected: (tenant: string, reason: RejectionReason) => void;
    /** Initialises the tenants' series at 0. */
    readonly initialiseSeries: (tenants: readonly string[]) => void;
    readonly hitPercent: () => number;
}

export interface ServiceMetricsOptions {
    readonly registry: Registry;
    readonly build: Readonly<
        Record<"colour" | "version" | "provider" | "model" | "revision", string>
    >;
    readonly localSize: () => { readonly entries: number; readonly bytes: number };
    readonly isRedisUp: () => boolean;
}

const ROUTES = [PATHS.embed, PATHS.embeddings] as const;
const CODES = [200, 400, 401, 408, 413, 415, 429, 499, 500, 503, 504] as const;

interface RouteCounts {
    readonly times: Readonly<Record<CacheResult, HistogramSeries>>;
    readonly codes: Map<number, CounterSeries>;
}

/** All label combinations start at 0: a rate over an absent series cannot alert. */
export function createServiceMetrics(options: ServiceMetricsOptions): ServiceMetrics {
    const { registry, build, localSize, isRedisUp } = options;
    const { counter, gauge, histogram } = createFamilies(registry);
    const lookups = counter(METRICS.lookups, "Items looked up, by source of the vector");
    const byResult = mapKeys(CACHE_RESULTS, (result) => lookups.series({ result }));
    const hitWindow = startHitWindow(() => {
        const { hit_l1, hit_l2, semantic, coalesced, stale, miss } = byResult;
        const hits = hit_l1.value + hit_l2.value + semantic.value + coalesced.value + stale.value;
        return { hits, lookups: hits + miss.value };
    });
    const truncations = counter(
        METRICS.truncated,
        "Items answered whose text was truncated",
    ).series();
    const requests = counter(
        METRICS.requests,
        "HTTP requests for embeddings, by route and status code",
    );
    const responseTime = histogram(
        METRICS.responseTime,
        "Seconds from the last byte of the request to the last byte of the response",
        RESPONSE_TIME_BUCKETS,
    );
    const rejections = counter(METRICS.rejected, "Requests rejected by a tenant's limits");
    const byTenant = createTenantLabels((tenant) =>
        mapKeys(REJECTION_REASONS, (reason) => rejections.series({ tenant, reason })),
    );
    const byRoute = mapKeys<Route, RouteCounts>(ROUTES, (route) => ({
        times: mapKeys(CACHE_RESULTS, (result) => responseTime.series({ route, result })),
        codes: new Map(CODES.map((code) => [code, requests.series({ route, code })])),
    }));
    let openRequests = 0;
    const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
        [METRICS.inFlight, "Requests in flight", () => openRequests],
        [
            METRICS.hitRate,
            "Hits over lookups in the last five minutes, in percent; alerts use the counters",
            hitWindow.percent,
        ],
        [METRICS.redisUp, "1 while Redis is available", () => (isRedisUp() ? 1 : 0)],
        [METRICS.localEntries, "Entries in the local cache", () => localSize().entries],
        [METRICS.localBytes, "Bytes reserved for the local cache", () => localSize().bytes],
    ];
    for (const [name, help, read] of gauges) gauge(name, help, () => [[{}, read()]]);
    gauge(METRICS.buildInfo, "Build information", () => [[build, 1]]);

    return {
        onResponse: ({ items, truncated }) => {
            byResult.hit_l1.value += items["HIT-L1"];
            // Most items are local hits. The memory of the other counters is not touched, because outgoing
            // vectors have evicted it from the CPU caches.
            if (items["HIT-L2"] > 0) byResult.hit_l2.value += items["HIT-L2"];
            if (items.SEMANTIC > 0) byResult.semantic.value += items.SEMANTIC;
            if (items.COALESCED > 0) byResult.coalesced.value += items.COALESCED;
            if (items.STALE > 0) byResult.stale.value += items.STALE;
            if (items.MISS > 0) byResult.miss.value += items.MISS;
            if (truncated > 0) truncations.value += truncated;
        },
        onItemsFailed: (items) => {
            byResult.error.value += items;
        },
        onRequestStart: () => {
            openRequests += 1;
        },
        onRequestEnd: (route, result, code, seconds) => {
            openRequests -= 1;
            const { times, codes } = byRoute[route];
            times[result].observe(seconds);
            let count = codes.get(code);
            if (count === undefined) {
                count = requests.series({ route, code });
                codes.set(code, count);
            }
            count.value += 1;
        },
        onRejected: (tenant, reason) => {
            byTenant.get(tenant)[reason].value += 1;
        },
        initialiseSeries: (tenants) => {
            for (const tenant of tenants) byTenant.get(tenant);
        },
        hitPercent: hitWindow.percent,
    };
}
