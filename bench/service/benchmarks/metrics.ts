import { METRICS, PATHS } from "@property-search/contract";
import { request } from "undici";

import type { Target } from "../peers/peer.ts";

/** The service's own histogram of response times, summed over its series. */
export interface ServerTimes {
    readonly count: number;
    readonly seconds: number;
    /** Cumulative answers by upper bound in seconds. */
    readonly buckets: ReadonlyMap<number, number>;
}

/** @returns the text of a service's /metrics. */
export async function scrape({ url }: Pick<Target, "url">): Promise<string> {
    const { body } = await request(new URL(PATHS.metrics, url));
    return body.text();
}

/** Sum over all series of a metric. */
export function sumOfSeries(exposition: string, name: string): number {
    return series(exposition, name).reduce((sum, [, value]) => sum + value, 0);
}

export function serverTimes(exposition: string): ServerTimes {
    const buckets = new Map<number, number>();
    for (const [labels, value] of series(exposition, `${METRICS.responseTime}_bucket`)) {
        const bound = Number(/le="([^"]+)"/.exec(labels)?.[1]?.replace("+Inf", "Infinity"));
        buckets.set(bound, (buckets.get(bound) ?? 0) + value);
    }
    return {
        count: sumOfSeries(exposition, `${METRICS.responseTime}_count`),
        seconds: sumOfSeries(exposition, `${METRICS.responseTime}_sum`),
        buckets,
    };
}

/** The answers between two scrapes. */
export function difference(before: ServerTimes, after: ServerTimes): ServerTimes {
    return {
        count: after.count - before.count,
        seconds: after.seconds - before.seconds,
        buckets: new Map(
            [...after.buckets].map(([bound, value]) => [
                bound,
                value - (before.buckets.get(bound) ?? 0),
            ]),
        ),
    };
}

/**
 * @returns the smallest bucket bound, in milliseconds, that this share of the answers did not exceed. A value
 * between two bounds would be an estimate.
 */
export function quantileBoundMilliseconds({ count, buckets }: ServerTimes, share: number): number {
    const bounds = [...buckets].toSorted(([one], [other]) => one - other);
    const [bound] = bounds.find(([, value]) => value >= share * count) ?? [NaN];
    return bound * 1000;
}

export function meanMilliseconds({ count, seconds }: ServerTimes): number {
    return (seconds / count) * 1000;
}

function series(exposition: string, name: string): (readonly [labels: string, value: number])[] {
    return exposition.split("\n").flatMap((line) => {
        if (!line.startsWith(name)) return [];
        const found = /^(?:\{(.*)\})? (\S+)/.exec(line.slice(name.length));
        return found ? [[found[1] ?? "", Number(found[2])] as const] : [];
    });
}
