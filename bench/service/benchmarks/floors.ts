import type { Latency, Sample } from "../generators/sample.ts";
import type { FloorResult, Unit } from "../report/result.ts";
import { median, pairedRatio } from "../report/statistics.ts";

/** A limit that the service must meet. */
export interface FloorDefinition {
    readonly description: string;
    readonly limit: number;
    /** Whether the limit is a minimum or a maximum. */
    readonly direction: "min" | "max";
    readonly unit: Unit;
}

export interface Floor extends FloorDefinition {
    /** @returns undefined if a peer that it compares with did not take part */
    readonly measure: (samplesByPeer: SamplesByPeer) => number | undefined;
}

/** Samples by name of the peer, one per turn, in order of time. */
export type SamplesByPeer = ReadonlyMap<string, readonly Sample[]>;

export function floorResult(
    { description, limit, direction, unit }: FloorDefinition,
    measured: number,
): FloorResult {
    // NaN never meets a limit.
    const met = direction === "min" ? measured >= limit : measured <= limit;
    return { description, unit, measured, met };
}

/** Requests per second of `own` are at least `limit` times those of `other`. */
export function minRateRatio(own: string, other: string, limit: number): Floor {
    return {
        description: `requests/s ≥ ${limit} × ${other}`,
        limit,
        direction: "min",
        unit: "×",
        measure: (samplesByPeer) => {
            const [ours, theirs] = [own, other].map((name) =>
                samplesByPeer.get(name)?.map(({ rate }) => rate),
            );
            return ours && theirs && pairedRatio(ours, theirs);
        },
    };
}

export function maxLatency(own: string, percentile: keyof Latency, limit: number): Floor {
    return {
        description: `${percentile} ≤ ${limit} ms`,
        limit,
        direction: "max",
        unit: "ms",
        measure: (samplesByPeer) => {
            const samples = samplesByPeer.get(own);
            return samples && median(samples.map(({ latency }) => latency[percentile]));
        },
    };
}

/** Every request has a 2xx answer; otherwise fast failures would look like speed. */
export function noFailures(own: string): Floor {
    return {
        description: "failed requests = 0",
        limit: 0,
        direction: "max",
        unit: "requests",
        measure: (samplesByPeer) =>
            samplesByPeer.get(own)?.reduce((sum, { failed }) => sum + failed, 0),
    };
}
