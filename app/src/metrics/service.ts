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

import type { Account } from "../ledger/account.ts";
import { counterFamily, gauge, histogramFamily, type Buckets, type Cell } from "./families.ts";
import { tenantLabels } from "./tenantLabels.ts";
import { runningHitWindow } from "./window.ts";

export type Route = (typeof ROUTES)[number];

/** What clients see of the service. */
export interface ServiceMetrics {
    readonly answered: (account: Account) => void;
    /** Items of a request that could not be answered. */
    readonly failed: (items: number) => void;
    readonly began: () => void;
    readonly ended: (route: Route, result: CacheResult, code: number, seconds: number) => void;
    /** A tenant's limits refused a request. */
    readonly refused: (tenant: string, reason: RejectionReason) => void;
    /** The tenants' series stand at 0 from now on. */
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

/** Every label combination stands at 0 from the start: a rate over an absent series is no alert. */
export function serviceMetrics(options: ServiceMetricsOptions): ServiceMetrics {
    const { registry, build, localSize, redisUp } = options;
    const lookups = counterFamily(registry, {
        name: METRICS.lookups,
        help: "Items looked up, by where their vector came from",
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
        help: "Items answered of which the model read only the beginning",
    }).cell();
    const requests = counterFamily(registry, {
        name: METRICS.requests,
        help: "HTTP requests for embeddings, by route and status code",
        labelNames: ["route", "code"],
    });
    const responseTime = histogramFamily(registry, {
        name: METRICS.responseTime,
        help: "Seconds from the request's last byte in to the response's last byte handed over",
        edges: RESPONSE_TIME_BUCKETS,
    });
    const refusals = counterFamily(registry, {
        name: METRICS.rejected,
        help: "Requests that a tenant's limits refused",
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
    gauge(registry, { name: METRICS.inFlight, help: "Requests now being answered" }, () => [
        [{}, open],
    ]);
    gauge(
        registry,
        {
            name: METRICS.hitRate,
            help: "Hits of the last five minutes over lookups, in percent; alerts rate the counters",
        },
        () => [[{}, window.percent()]],
    );
    gauge(registry, { name: METRICS.redisUp, help: "1 while Redis answers" }, () => [
        [{}, redisUp() ? 1 : 0],
    ]);
    gauge(
        registry,
        { name: METRICS.localEntries, help: "Entries in this process's own cache" },
        () => [[{}, localSize().entries]],
    );
    gauge(
        registry,
        { name: METRICS.localBytes, help: "Bytes reserved for this process's own cache" },
        () => [[{}, localSize().bytes]],
    );
    gauge(
        registry,
        {
            name: METRICS.buildInfo,
            help: "What runs here",
            labelNames: Object.keys(build),
        },
        () => [[build, 1]],
    );

    return {
        answered: ({ items, truncated }) => {
            byResult.hit_l1.value += items["HIT-L1"];
            // Nearly all are hits in the process: the other counters' memory is then left alone, since vectors
            // that go out push everything else out of the processor's caches.
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
