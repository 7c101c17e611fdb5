import { METRICS, PATHS } from "@property-search/contract";
import { request } from "undici";

import type { Contestant } from "../peers/peer.ts";

/** The service's own histogram of response times, over all its series. */
export interface ServerTimes {
    readonly count: number;
    readonly seconds: number;
    /** Answers at or below each edge in seconds, cumulative. */
    readonly buckets: ReadonlyMap<number, number>;
}

/** @returns the text of a service's /metrics. */
export async function scrape({ url }: Pick<Contestant, "url">): Promise<string> {
    const { body } = await request(new URL(PATHS.metrics, url));
    return body.text();
}

/** Sum over all series of a metric. */
export function total(exposition: string, name: string): number {
    return series(exposition, name).reduce((sum, [, value]) => sum + value, 0);
}

export function serverTimes(exposition: string): ServerTimes {
    const buckets = new Map<number, number>();
    for (const [labels, value] of series(exposition, `${METRICS.responseTime}_bucket`)) {
        const edge = Number(/le="([^"]+)"/.exec(labels)?.[1]?.replace("+Inf", "Infinity"));
        buckets.set(edge, (buckets.get(edge) ?? 0) + value);
    }
    return {
        count: total(exposition, `${METRICS.responseTime}_count`),
        seconds: total(exposition, `${METRICS.responseTime}_sum`),
        buckets,
    };
}

/** What came between two scrapes. */
export function between(before: ServerTimes, after: ServerTimes): ServerTimes {
    return {
        count: after.count - before.count,
        seconds: after.seconds - before.seconds,
        buckets: new Map(
            [...after.buckets].map(([edge, value]) => [
                edge,
                value - (before.buckets.get(edge) ?? 0),
            ]),
        ),
    };
}

/**
 * @returns the edge, in milliseconds, that this share of the answers did not exceed: a bound that is
 * proven, where a value between two edges would be guessed.
 */
export function boundMilliseconds({ count, buckets }: ServerTimes, share: number): number {
    const edges = [...buckets].toSorted(([one], [other]) => one - other);
    const [edge] = edges.find(([, value]) => value >= share * count) ?? [NaN];
    return edge * 1000;
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
