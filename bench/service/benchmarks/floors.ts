import type { Sample } from "../generators/sample.ts";
import type { Quantiles } from "../../shared/quantiles.ts";
import type { FloorResult, Unit } from "../report/result.ts";
import { median, pairedRatio } from "../report/statistics.ts";

/** Samples by name of the peer, one per turn, in order of time. */
export type SamplesByPeer = ReadonlyMap<string, readonly Sample[]>;

/** Checks a limit in a comparison. @returns undefined if a peer that it needs did not take part */
export type Floor = (samplesByPeer: SamplesByPeer) => FloorResult | undefined;

/** Checks a maximum; NaN does not meet it. */
export function atMost(
    description: string,
    limit: number,
    unit: Unit,
    measured: number,
): FloorResult {
    return { description, unit, measured, met: measured <= limit };
}

/** Checks a minimum; NaN does not meet it. */
export function atLeast(
    description: string,
    limit: number,
    unit: Unit,
    measured: number,
): FloorResult {
    return { description, unit, measured, met: measured >= limit };
}

/** Every request has a 2xx answer; otherwise fast failures would look like speed. */
export function noFailures(samples: readonly Pick<Sample, "failed">[]): FloorResult {
    const failed = samples.reduce((sum, one) => sum + one.failed, 0);
    return atMost("failed requests = 0", 0, "requests", failed);
}

/** Requests per second of `own` are at least `limit` times those of `other`. */
export function minRateRatio(own: string, other: string, limit: number): Floor {
    return (samplesByPeer) => {
        const [ours, theirs] = [own, other].map((name) =>
            samplesByPeer.get(name)?.map(({ rate }) => rate),
        );
        if (!ours || !theirs) return undefined;
        return atLeast(`requests/s ≥ ${limit} × ${other}`, limit, "×", pairedRatio(ours, theirs));
    };
}

export function maxLatency(own: string, percentile: keyof Quantiles, limit: number): Floor {
    return (samplesByPeer) => {
        const latencies = samplesByPeer.get(own)?.map(({ latency }) => latency[percentile]);
        return latencies && atMost(`${percentile} ≤ ${limit} ms`, limit, "ms", median(latencies));
    };
}
