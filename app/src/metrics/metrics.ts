import { CACHE_RESULTS, METRICS, PATHS, RESPONSE_TIME_BUCKETS } from "@property-search/contract";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import type { Account } from "../ledger/ledger.ts";
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
const CODES = [200, 400, 404, 405, 408, 413, 429, 500, 502, 503, 504] as const;

/** Every label combination stands at 0 from the start: a rate over an absent series is no alert. */
export function openMetrics(options: MetricsOptions): Metrics {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const registers = [registry];
    const window = hitWindow(Date.now);

    const lookups = new Counter({
        name: METRICS.lookups,
        help: "Items looked up, by where their vector came from",
        labelNames: ["result"],
        registers,
    });
    const requests = new Counter({
        name: METRICS.requests,
        help: "HTTP requests for embeddings, by route and status code",
        labelNames: ["route", "code"],
        registers,
    });
    const tokens = new Counter({
        name: METRICS.tokens,
        help: "Tokens that were billed, and tokens that a cache avoided",
        labelNames: ["kind"],
        registers,
    });
    const saved = new Counter({
        name: METRICS.costSaved,
        help: "Dollars not spent because vectors came from a cache",
        registers,
    });
    const spent = new Counter({
        name: METRICS.costBilled,
        help: "Dollars spent upstream",
        registers,
    });
    const responseTime = new Histogram({
        name: METRICS.responseTime,
        help: "Seconds from the request's last byte in to the response's last byte handed over",
        buckets: [...RESPONSE_TIME_BUCKETS],
        labelNames: ["route"],
        registers,
    });
    const inFlight = new Gauge({
        name: METRICS.inFlight,
        help: "Requests now being answered",
        registers,
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

    for (const result of CACHE_RESULTS) lookups.inc({ result }, 0);
    for (const kind of ["billed", "avoided"]) tokens.inc({ kind }, 0);
    for (const route of ROUTES) {
        responseTime.zero({ route });
        for (const code of CODES) requests.inc({ route, code }, 0);
    }
    let open = 0;

    return {
        answered: (account) => {
            const { items } = account;
            const hits = items["HIT-L1"] + items["HIT-L2"] + items.COALESCED;
            window.add(hits, hits + items.MISS);
            if (items["HIT-L1"] > 0) lookups.inc({ result: "hit_l1" }, items["HIT-L1"]);
            if (items["HIT-L2"] > 0) lookups.inc({ result: "hit_l2" }, items["HIT-L2"]);
            if (items.COALESCED > 0) lookups.inc({ result: "coalesced" }, items.COALESCED);
            if (items.MISS > 0) lookups.inc({ result: "miss" }, items.MISS);
            if (account.avoidedTokens > 0) tokens.inc({ kind: "avoided" }, account.avoidedTokens);
            if (account.avoidedRequest) saved.inc(options.costPerRequest);
        },
        billed: (count) => {
            tokens.inc({ kind: "billed" }, count);
            spent.inc(options.costPerRequest);
        },
        failed: (items) => lookups.inc({ result: "error" }, items),
        began: () => {
            open += 1;
            inFlight.set(open);
        },
        ended: (route, code, seconds) => {
            open -= 1;
            inFlight.set(open);
            requests.inc({ route, code }, 1);
            responseTime.observe({ route }, seconds);
        },
        hitPercent: () => window.percent(),
        expose: () => registry.metrics(),
        contentType: registry.contentType,
    };
}
