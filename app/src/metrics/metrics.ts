import { CACHE_RESULTS, METRICS, PATHS, RESPONSE_TIME_BUCKETS } from "@property-search/contract";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

import type { Account } from "../ledger/ledger.ts";
import { counterFamily, histogramFamily, type Buckets, type Cell } from "./cells.ts";
import { hitWindow } from "./window.ts";

export type Route = (typeof ROUTES)[number];

export interface Metrics {
    readonly answered: (account: Account) => void;
    /** A call of the upstream that was answered. */
    readonly billed: (tokens: number) => void;
    /** Items of a request that could not be answered. */
    readonly failed: (items: number) => void;
    readonly began: () => void;
    readonly ended: (route: Route, code: number, seconds: number) => void;
    readonly hitPercent: () => number;
    /** The exposition in Prometheus' text format. */
    readonly expose: () => Promise<string>;
    readonly contentType: string;
}

export interface MetricsOptions {
    readonly build: Readonly<
        Record<"colour" | "version" | "provider" | "model" | "revision", string>
    >;
    /** Dollars per request that reaches the upstream: the flat price model. */
    readonly costPerRequest: number;
    readonly redisUp: () => boolean;
}

export const ROUTES = [PATHS.embed, PATHS.embeddings] as const;
const CODES = [200, 400, 401, 404, 405, 408, 413, 429, 500, 502, 503, 504] as const;

/** Every label combination stands at 0 from the start: a rate over an absent series is no alert. */
export function openMetrics(options: MetricsOptions): Metrics {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const registers = [registry];
    const window = hitWindow(Date.now);

    const lookups = counterFamily(registry, {
        name: METRICS.lookups,
        help: "Items looked up, by where their vector came from",
        labelNames: ["result"],
    });
    const byResult = Object.fromEntries(
        CACHE_RESULTS.map((result) => [result, lookups.cell({ result })]),
    ) as Record<(typeof CACHE_RESULTS)[number], Cell>;
    const tokens = counterFamily(registry, {
        name: METRICS.tokens,
        help: "Tokens that were billed, and tokens that a cache avoided",
        labelNames: ["kind"],
    });
    const billedTokens = tokens.cell({ kind: "billed" });
    const avoidedTokens = tokens.cell({ kind: "avoided" });
    const saved = counterFamily(registry, {
        name: METRICS.costSaved,
        help: "Dollars not spent because vectors came from a cache",
    }).cell();
    const spent = counterFamily(registry, {
        name: METRICS.costBilled,
        help: "Dollars spent upstream",
    }).cell();
    const requests = counterFamily(registry, {
        name: METRICS.requests,
        help: "HTTP requests for embeddings, by route and status code",
        labelNames: ["route", "code"],
    });
    const responseTime = histogramFamily(registry, {
        name: METRICS.responseTime,
        help: "Seconds from the request's last byte in to the response's last byte handed over",
        labelNames: ["route"],
        edges: RESPONSE_TIME_BUCKETS,
    });
    const byRoute = Object.fromEntries(
        ROUTES.map((route) => [
            route,
            {
                time: responseTime.buckets({ route }),
                codes: new Map<number, Cell>(
                    CODES.map((code) => [code, requests.cell({ route, code })]),
                ),
            },
        ]),
    ) as Record<Route, { readonly time: Buckets; readonly codes: Map<number, Cell> }>;
    let open = 0;
    new Gauge({
        name: METRICS.inFlight,
        help: "Requests now being answered",
        registers,
        collect() {
            this.set(open);
        },
    });
    new Gauge({
        name: METRICS.hitRate,
        help: "Hits of the last five minutes over lookups, in percent; alerts rate the counters",
        registers,
        collect() {
            this.set(window.percent());
        },
    });
    new Gauge({
        name: METRICS.redisUp,
        help: "1 while Redis answers",
        registers,
        collect() {
            this.set(options.redisUp() ? 1 : 0);
        },
    });
    new Gauge({
        name: METRICS.buildInfo,
        help: "What runs here",
        labelNames: Object.keys(options.build),
        registers,
    }).set(options.build, 1);

    return {
        answered: ({ items, avoidedTokens: avoided, avoidedRequest }) => {
            const hits = items["HIT-L1"] + items["HIT-L2"] + items.COALESCED + items.STALE;
            window.add(hits, hits + items.MISS);
            byResult.hit_l1.value += items["HIT-L1"];
            byResult.hit_l2.value += items["HIT-L2"];
            byResult.coalesced.value += items.COALESCED;
            byResult.stale.value += items.STALE;
            byResult.miss.value += items.MISS;
            avoidedTokens.value += avoided;
            if (avoidedRequest) saved.value += options.costPerRequest;
        },
        billed: (count) => {
            billedTokens.value += count;
            spent.value += options.costPerRequest;
        },
        failed: (items) => {
            byResult.error.value += items;
        },
        began: () => {
            open += 1;
        },
        ended: (route, code, seconds) => {
            open -= 1;
            const { time, codes } = byRoute[route];
            time.observe(seconds);
            let count = codes.get(code);
            if (count === undefined) {
                count = requests.cell({ route, code });
                codes.set(code, count);
            }
            count.value += 1;
        },
        hitPercent: () => window.percent(),
        expose: () => registry.metrics(),
        contentType: registry.contentType,
    };
}
