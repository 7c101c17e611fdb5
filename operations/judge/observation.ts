import {
    SCRAPE_INTERVAL_SECONDS,
    type CacheResult,
    type PerColour,
} from "@property-search/contract";
import type { Share } from "./sequential.ts";

/** So long ago may the last scrape be. */
export const STALE_SECONDS = 2 * SCRAPE_INTERVAL_SECONDS;

/** Unix seconds: since a step's weight took effect. */
export interface Window {
    readonly since: number;
    readonly now: number;
}

/** What was seen of both colours over the same time. */
export interface Observation {
    /** Unix seconds: what it really spans, which is whole scrapes. */
    readonly from: number;
    readonly to: number;
    readonly colours: PerColour<ColourSample>;
    /**
     * Requests of the route, and those that the gateway answered with a 5xx without any pod: they belong
     * to no colour. Undefined: the gateway does not tell.
     */
    readonly route: Share | undefined;
    /** What could not be seen, as sentences. While there is any, nothing passes. */
    readonly gaps: readonly string[];
}

export interface ColourSample {
    /** Undefined: Prometheus knows none of its pods. */
    readonly scraped: Scraped | undefined;
    /** Requests that its pods answered, and those of them that ended in a 5xx. */
    readonly requests: Share;
    /**
     * Requests that the gateway handed to its pods, and those that came back as a 5xx: a pod that dies
     * counts nothing any more. Undefined: nobody watches the gateway.
     */
    readonly atGateway: Share | undefined;
    /** Answers that were no errors, by where their vectors came from. */
    readonly times: Readonly<Partial<Record<CacheResult, Times>>>;
    /** Starts of its containers beyond each pod's first. Undefined: unknown, as below. */
    readonly restarts: number | undefined;
    readonly pods: Pods | undefined;
    readonly memory: Memory | undefined;
}

/** How well its pods are seen. */
export interface Scraped {
    readonly pods: number;
    readonly answering: number;
    /** Since the last scrape of any of them: all are scraped in the same interval, or none is. */
    readonly secondsAgo: number;
}

export interface Times {
    readonly answers: number;
    /** How many of them took longer than so many seconds. */
    readonly slower: readonly { readonly seconds: number; readonly answers: number }[];
}

export interface Pods {
    readonly ready: number;
    readonly wanted: number;
    /** Of those that were ready before, and are still wanted: how many are not, and for a while now. */
    readonly missing: number;
    readonly lost: number;
}

export interface Memory {
    /** Of the fullest pod, 0–1 of its limit. */
    readonly share: number;
    /** Of the pod that would be full first at the pace of the last minutes. Undefined: none grows. */
    readonly growth:
        | {
              /** What it gained in those minutes, 0–1 of its limit. */
              readonly gained: number;
              readonly secondsToLimit: number;
          }
        | undefined;
}

export interface Evidence {
    /** @throws NoData when there is nothing to judge by */
    readonly read: (window: Window) => Promise<Observation>;
}

/** Nothing to judge by, and why. */
export class NoData extends Error {
    public override readonly name = "NoData";
    /** When a window of the same length can be judged, in Unix seconds; undefined: nobody knows. */
    public readonly until: number | undefined;

    public constructor(message: string, until?: number) {
        super(message);
        this.until = until;
    }
}
