import { RESPONSE_TIME_BUCKETS } from "@property-search/contract";
import type { Tolerance } from "./sequential.ts";

/** Limits for a candidate. Shares are 0–1. */
export interface Limits {
    /** Maximum probability that a candidate within the limits fails by chance, over a whole switch. */
    readonly falseAlarm: number;
    /** Number of windows of a switch: its steps and the bake. */
    readonly windows: number;
    /** Maximum probability that a candidate with errors at the limit passes a window. */
    readonly falsePass: number;
    /** Minimum requests of the candidate for a pass. */
    readonly minimumRequests: number;
    /** Requests of its pods that end in a 5xx: the maximum share, and the maximum excess over the active's. */
    readonly errors: ErrorLimits;
    /**
     * The same for requests that the gateway sent to its pods. The gateway counts attempts: a retried one harms no client,
     * so a killed pod may fail some.
     */
    readonly gatewayErrors: ErrorLimits;
    /** Share of the route's requests that the gateway itself answers with a 5xx. */
    readonly noPodErrors: number;
    readonly latency: LatencyLimits;
    readonly restarts: number;
    readonly memory: MemoryLimits;
}

export interface ErrorLimits {
    readonly limit: number;
    readonly margin: number;
}

export interface LatencyLimits extends Tolerance {
    /** Upper bounds of histogram buckets, in seconds: shares of slower answers are compared at each. */
    readonly upperBounds: readonly number[];
    /** Upper bounds that p95 must not exceed: for cache hits, and for answers that wait for the upstream. */
    readonly p95Seconds: { readonly hits: number; readonly misses: number };
}

export interface MemoryLimits {
    /** Maximum share of a pod's limit. */
    readonly share: number;
    /** Minimum time until a growing pod reaches its limit. */
    readonly horizonSeconds: number;
    /** Minimum growth, as a share of the limit, before the growth rate counts: heaps fluctuate. */
    readonly minGrowth: number;
}

export const DEFAULT_LIMITS: Limits = {
    falseAlarm: 0.001,
    windows: 5,
    falsePass: 0.05,
    minimumRequests: 400,
    errors: { limit: 0.01, margin: 0.001 },
    gatewayErrors: { limit: 0.05, margin: 0.02 },
    noPodErrors: 0.01,
    latency: {
        upperBounds: [0.05, 0.1, 0.2, 0.5, 1, 2],
        ratio: 1.5,
        margin: 0.05,
        p95Seconds: { hits: 0.2, misses: 2 },
    },
    restarts: 0,
    memory: { share: 0.9, horizonSeconds: 600, minGrowth: 0.05 },
};

/** @throws Error with all problems */
export function checkLimits(limits: Limits): void {
    const { errors, gatewayErrors, latency, memory } = limits;
    const problems: string[] = [];
    const check = (name: string, value: number, allowed: string, fine: boolean) => {
        if (!fine) problems.push(`${name} is ${value}; allowed: ${allowed}`);
    };
    const share = (name: string, value: number) =>
        check(name, value, "more than 0 and less than 1", value > 0 && value < 1);
    const count = (name: string, value: number, least: number) =>
        check(
            name,
            value,
            `whole numbers from ${least}`,
            Number.isInteger(value) && value >= least,
        );
    const bound = (name: string, value: number) =>
        check(
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
    share("gatewayErrors.limit", gatewayErrors.limit);
    share("gatewayErrors.margin", gatewayErrors.margin);
    share("noPodErrors", limits.noPodErrors);
    check(
        "latency.upperBounds",
        latency.upperBounds.length,
        "1 or more",
        latency.upperBounds.length > 0,
    );
    latency.upperBounds.forEach((seconds, at) => bound(`latency.upperBounds[${at}]`, seconds));
    check(
        "latency.ratio",
        latency.ratio,
        "1 or more",
        latency.ratio >= 1 && Number.isFinite(latency.ratio),
    );
    share("latency.margin", latency.margin);
    bound("latency.p95Seconds.hits", latency.p95Seconds.hits);
    bound("latency.p95Seconds.misses", latency.p95Seconds.misses);
    count("restarts", limits.restarts, 0);
    share("memory.share", memory.share);
    count("memory.horizonSeconds", memory.horizonSeconds, 1);
    share("memory.minGrowth", memory.minGrowth);
    if (problems.length > 0) throw new Error(`limits: ${problems.join("; ")}`);
}
