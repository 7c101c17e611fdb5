import type { Latency, Sample } from "../generators/sample.ts";
import type { FloorResult, Unit } from "../report/finding.ts";
import { median, pairedRatio } from "../report/statistics.ts";

/** What the service has promised. */
export interface Promised {
    readonly what: string;
    readonly limit: number;
    /** Whether the limit is the least or the most allowed. */
    readonly direction: "least" | "most";
    readonly unit: Unit;
}

export interface Floor extends Promised {
    /** @returns undefined when a contestant that it needs did not take part. */
    readonly measure: (standings: Standings) => number | undefined;
}

/** Samples by contestant, one a turn, in the order in which they were taken. */
export type Standings = ReadonlyMap<string, readonly Sample[]>;

export function floorResult(
    { what, limit, direction, unit }: Promised,
    measured: number,
): FloorResult {
    // A figure that is no number meets nothing.
    const met = direction === "least" ? measured >= limit : measured <= limit;
    return { what, unit, measured, met };
}

/** At least `limit` times as many requests a second as the other. */
export function atLeastTimes(own: string, other: string, limit: number): Floor {
    return {
        what: `requests/s ≥ ${limit} × ${other}`,
        limit,
        direction: "least",
        unit: "×",
        measure: (standings) => {
            const [ours, theirs] = [own, other].map((name) =>
                standings.get(name)?.map(({ rate }) => rate),
            );
            return ours && theirs && pairedRatio(ours, theirs);
        },
    };
}

export function atMostMilliseconds(own: string, percentile: keyof Latency, limit: number): Floor {
    return {
        what: `${percentile} ≤ ${limit} ms`,
        limit,
        direction: "most",
        unit: "ms",
        measure: (standings) => {
            const samples = standings.get(own);
            return samples && median(samples.map(({ latency }) => latency[percentile]));
        },
    };
}

/** No answer but 2xx, and none missing: what was fast because it failed was not fast. */
export function noneFailed(own: string): Floor {
    return {
        what: "failed requests = 0",
        limit: 0,
        direction: "most",
        unit: "requests",
        measure: (standings) => standings.get(own)?.reduce((sum, { failed }) => sum + failed, 0),
    };
}
