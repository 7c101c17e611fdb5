import {
    SCRAPE_INTERVAL_SECONDS,
    type CacheResult,
    type PerColour,
} from "@property-search/contract";
import type { Share } from "./sequential.ts";

/** Maximum age of the last scrape. */
export const STALE_SECONDS = 2 * SCRAPE_INTERVAL_SECONDS;

/** Time since a step's weight took effect, in Unix seconds. */
export interface Window {
    readonly since: number;
    readonly now: number;
}

/** Data of both colours over the same time. */
export interface Observation {
    /** Unix seconds, aligned to scrapes. */
    readonly from: number;
    readonly to: number;
    readonly colours: PerColour<ColourSample>;
    /**
     * Requests of the route, and those that the gateway answered with a 5xx without a pod, which belong to no colour.
     * Undefined: the gateway is not scraped.
     */
    readonly route: Share | undefined;
    /** Descriptions of missing data. With any, nothing passes. */
    readonly gaps: readonly string[];
}

export interface ColourSample {
    /** Undefined: Prometheus scrapes none of its pods. */
    readonly scrapeHealth: ScrapeHealth | undefined;
    /** Requests that its pods answered, and those with a 5xx. */
    readonly requests: Share;
    /**
     * Requests that the gateway sent to its pods, and those that failed with a 5xx, including those of dead pods.
     * Undefined: the gateway is not scraped.
     */
    readonly gatewayRequests: Share | undefined;
    /** Answers without errors, by cache result. */
    readonly answerTimes: Readonly<Partial<Record<CacheResult, AnswerTimes>>>;
    /** Container restarts. Undefined: unknown, as below. */
    readonly restarts: number | undefined;
    readonly pods: Pods | undefined;
    readonly memory: Memory | undefined;
}

/** Scrape health of its pods. */
export interface ScrapeHealth {
    readonly pods: number;
    readonly answering: number;
    /** Age of the last scrape of any pod: all have the same interval. */
    readonly ageSeconds: number;
}

export interface AnswerTimes {
    readonly answers: number;
    /** Number of answers that took longer than `seconds`. */
    readonly slower: readonly { readonly seconds: number; readonly answers: number }[];
}

export interface Pods {
    readonly ready: number;
    readonly desired: number;
    /** Pods that were ready, are still desired and are not ready; `lost`: for at least a minute. */
    readonly missing: number;
    readonly lost: number;
}

export interface Memory {
    /** Usage of the fullest pod, 0–1 of its limit. */
    readonly share: number;
    /** Growth of the pod that would be full first at its current rate. Undefined: none grows. */
    readonly growth:
        | {
              /** Growth of the last minutes, 0–1 of its limit. */
              readonly gained: number;
              readonly secondsToLimit: number;
          }
        | undefined;
}

export interface Evidence {
    /** @throws InconclusiveError without data */
    readonly read: (window: Window) => Promise<Observation>;
}

/** There is no data to judge; the message has the reason. */
export class InconclusiveError extends Error {
    public override readonly name = "InconclusiveError";
    /** Unix seconds at which a window of the same length can be analysed; undefined: unknown. */
    public readonly readyAt: number | undefined;

    public constructor(message: string, until?: number) {
        super(message);
        this.readyAt = until;
    }
}
