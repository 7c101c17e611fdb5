import { RESPONSE_TIME_BUCKETS } from "@property-search/contract";
import type { Tolerance } from "./sequential.ts";

/** What a candidate may do and still be let on. Shares are 0–1. */
export interface Limits {
    /** Chance at most that a candidate that keeps to the limits is failed by chance, over a whole switch. */
    readonly falseAlarm: number;
    /** How many windows a switch judges one by one: its steps, and the bake. */
    readonly windows: number;
    /** Chance at most that a candidate passes a window though its errors are at their limit. */
    readonly falsePass: number;
    /** Requests of the candidate without which nothing passes. */
    readonly minimumRequests: number;
    /** Requests of its pods that end in a 5xx: so many, and so many more than the active's. */
    readonly errors: ErrorLimits;
    /**
     * The same of what the gateway handed to its pods. It counts attempts: one that is made again elsewhere
     * harms nobody, so that a pod that is killed may cost some.
     */
    readonly atGateway: ErrorLimits;
    /** Of the route's requests, those that the gateway itself answers with a 5xx. */
    readonly unserved: number;
    readonly latency: LatencyLimits;
    readonly restarts: number;
    readonly memory: MemoryLimits;
}

export interface ErrorLimits {
    readonly limit: number;
    readonly margin: number;
}

export interface LatencyLimits extends Tolerance {
    /** Edges of the histogram, in seconds: shares of slower answers are compared at each. */
    readonly edges: readonly number[];
    /** Edges that p95 may not exceed: of what the cache answers, and of what waits for the upstream. */
    readonly p95Seconds: { readonly hits: number; readonly misses: number };
}

export interface MemoryLimits {
    /** Of a pod's limit. */
    readonly share: number;
    /** Nor may it reach its limit within so many seconds, at the pace at which it grows. */
    readonly horizonSeconds: number;
    /** What a pod must have gained of its limit before its pace counts: heaps breathe. */
    readonly gained: number;
}

export const DEFAULT_LIMITS: Limits = {
    falseAlarm: 0.001,
    windows: 5,
    falsePass: 0.05,
    minimumRequests: 400,
    errors: { limit: 0.01, margin: 0.001 },
    atGateway: { limit: 0.05, margin: 0.02 },
    unserved: 0.01,
    latency: {
        edges: [0.05, 0.1, 0.2, 0.5, 1, 2],
        ratio: 1.5,
        margin: 0.05,
        p95Seconds: { hits: 0.2, misses: 2 },
    },
    restarts: 0,
    memory: { share: 0.9, horizonSeconds: 600, gained: 0.05 },
};

/** @throws Error with every finding at once */
export function checkLimits(limits: Limits): void {
    const { errors, atGateway, latency, memory } = limits;
    const findings: string[] = [];
    const allow = (name: string, value: number, allowed: string, fine: boolean) => {
        if (!fine) findings.push(`${name} is ${value}; allowed: ${allowed}`);
    };
    const share = (name: string, value: number) =>
        allow(name, value, "more than 0 and less than 1", value > 0 && value < 1);
    const count = (name: string, value: number, least: number) =>
        allow(
            name,
            value,
            `whole numbers from ${least} on`,
            Number.isInteger(value) && value >= least,
        );
    const edge = (name: string, value: number) =>
        allow(
            name,
            value,
            `a bucket bound of the histogram: ${RESPONSE_TIME_BUCKETS.join(", ")}`,
            RESPONSE_TIME_BUCKETS.some((known) => known === value),
        );

    share("falseAlarm", limits.falseAlarm);
    count("windows", limits.windows, 1);
    share("falsePass", limits.falsePass);
    count("minimumRequests", limits.minimumRequests, 1);
    share("errors.limit", errors.limit);
    share("errors.margin", errors.margin);
    share("atGateway.limit", atGateway.limit);
    share("atGateway.margin", atGateway.margin);
    share("unserved", limits.unserved);
    allow("latency.edges", latency.edges.length, "1 or more", latency.edges.length > 0);
    latency.edges.forEach((seconds, at) => edge(`latency.edges[${at}]`, seconds));
    allow(
        "latency.ratio",
        latency.ratio,
        "1 or more",
        latency.ratio >= 1 && Number.isFinite(latency.ratio),
    );
    share("latency.margin", latency.margin);
    edge("latency.p95Seconds.hits", latency.p95Seconds.hits);
    edge("latency.p95Seconds.misses", latency.p95Seconds.misses);
    count("restarts", limits.restarts, 0);
    share("memory.share", memory.share);
    count("memory.horizonSeconds", memory.horizonSeconds, 1);
    share("memory.gained", memory.gained);
    if (findings.length > 0) throw new Error(`limits: ${findings.join("; ")}`);
}
