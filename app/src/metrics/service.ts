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

import type { Account } from "../cache/responseTotals.ts";
import { counterFamily, gauge, histogramFamily, type Buckets, type Cell } from "./families.ts";
import { tenantLabels } from "./tenantLabels.ts";
import { runningHitWindow } from "./hitWindow.ts";

export type Route = (typeof ROUTES)[number];

/** Metrics of client requests. */
export interface ServiceMetrics {
    readonly answered: (account: Account) => void;
    /** Items of a failed request. */
    readonly failed: (items: number) => void;
    readonly began: () => void;
    readonly ended: (route: Route, result: CacheResult, code: number, seconds: number) => void;
    /** A tenant's limits rejected a request. */
    readonly refused: (tenant: string, reason: RejectionReason) => void;
    /** Initialises the tenants' series at 0. */
    readonly know: (tenants: readonly string[]) => void;
    readonly hitPercent: () => number;
}

export interface ServiceMetricsOptions {
    readonly registry: Registry;
    readonly build: Readonly<
        Record<"colour" | "version" | "provider" | "model" | "revision", string>
    >;
    readonly localSize: () => { readonly entries: number; readonly bytes: number };
    readonly redisUp: () => boolean;
}

const ROUTES = [PATHS.embed, PATHS.embeddings] as const;
const CODES = [200, 400, 401, 408, 413, 415, 429, 499, 500, 503, 504] as const;

interface RouteCounts {
    readonly times: Readonly<Record<CacheResult, Buckets>>;
    readonly codes: Map<number, Cell>;
}

/** All label combinations start at 0: a rate over an absent series cannot alert. */
export function serviceMetrics(options: ServiceMetricsOptions): ServiceMetrics {
    const { registry, build, localSize, redisUp } = options;
    const lookups = counterFamily(registry, {
        name: METRICS.lookups,
        help: "Items looked up, by source of the vector",
        labelNames: ["result"],
    });
    const byResult = Object.fromEntries(
        CACHE_RESULTS.map((result) => [result, lookups.cell({ result })]),
    ) as Record<CacheResult, Cell>;
    const window = runningHitWindow(() => {
        const { hit_l1, hit_l2, coalesced, stale, miss } = byResult;
        const hits = hit_l1.value + hit_l2.value + coalesced.value + stale.value;
        return { hits, lookups: hits + miss.value };
    });
    const truncations = counterFamily(registry, {
        name: METRICS.truncated,
        help: "Items answered whose text was truncated",
    }).cell();
    const requests = counterFamily(registry, {
        name: METRICS.requests,
        help: "HTTP requests for embeddings, by route and status code",
        labelNames: ["route", "code"],
    });
    const responseTime = histogramFamily(registry, {
        name: METRICS.responseTime,
        help: "Seconds from the last byte of the request to the last byte of the response",
        edges: RESPONSE_TIME_BUCKETS,
    });
    const refusals = counterFamily(registry, {
        name: METRICS.rejected,
        help: "Requests rejected by a tenant's limits",
        labelNames: ["tenant", "reason"],
    });
    const byTenant = tenantLabels(
        (tenant) =>
            Object.fromEntries(
                REJECTION_REASONS.map((reason) => [reason, refusals.cell({ tenant, reason })]),
            ) as Record<RejectionReason, Cell>,
    );
    const byRoute = Object.fromEntries(
        ROUTES.map((route) => [
            route,
            {
                times: Object.fromEntries(
                    CACHE_RESULTS.map((result) => [
                        result,
                        responseTime.buckets({ route, result }),
                    ]),
                ),
                codes: new Map(CODES.map((code) => [code, requests.cell({ route, code })])),
            },
        ]),
    ) as Record<Route, RouteCounts>;
    let open = 0;
    gauge(registry, { name: METRICS.inFlight, help: "Requests in flight" }, () => [[{}, open]]);
    gauge(
        registry,
        {
            name: METRICS.hitRate,
            help: "Hits over lookups in the last five minutes, in percent; alerts use the counters",
        },
        () => [[{}, window.percent()]],
    );
    gauge(registry, { name: METRICS.redisUp, help: "1 while Redis is available" }, () => [
        [{}, redisUp() ? 1 : 0],
    ]);
    gauge(registry, { name: METRICS.localEntries, help: "Entries in the local cache" }, () => [
        [{}, localSize().entries],
    ]);
    gauge(
        registry,
        { name: METRICS.localBytes, help: "Bytes reserved for the local cache" },
        () => [[{}, localSize().bytes]],
    );
    gauge(
        registry,
        {
            name: METRICS.buildInfo,
            help: "Build information",
            labelNames: Object.keys(build),
        },
        () => [[build, 1]],
    );

    return {
        answered: ({ items, truncated }) => {
            byResult.hit_l1.value += items["HIT-L1"];
            // Most items are local hits. The memory of the other counters is not touched, because outgoing
            // vectors have evicted it from the CPU caches.
            if (items["HIT-L2"] > 0) byResult.hit_l2.value += items["HIT-L2"];
            if (items.COALESCED > 0) byResult.coalesced.value += items.COALESCED;
            if (items.STALE > 0) byResult.stale.value += items.STALE;
            if (items.MISS > 0) byResult.miss.value += items.MISS;
            if (truncated > 0) truncations.value += truncated;
        },
        failed: (items) => {
            byResult.error.value += items;
        },
        began: () => {
            open += 1;
        },
        ended: (route, result, code, seconds) => {
            open -= 1;
            const { times, codes } = byRoute[route];
            times[result].observe(seconds);
            let count = codes.get(code);
            if (count === undefined) {
                count = requests.cell({ route, code });
                codes.set(code, count);
            }
            count.value += 1;
        },
        refused: (tenant, reason) => {
            byTenant.of(tenant)[reason].value += 1;
        },
        know: (tenants) => {
            for (const tenant of tenants) byTenant.of(tenant);
        },
        hitPercent: () => window.percent(),
    };
}
