import type { Latency, Sample } from "../generators/sample.ts";
import { median, pairedRatio } from "../report/statistics.ts";
import type { Floor, Standings } from "./cell.ts";

/** At least `limit` times as many requests a second as the other. */
export function atLeastTimes(own: string, other: string, limit: number): Floor {
    return {
        what: `requests/s ≥ ${limit} × ${other}`,
        limit,
        direction: "least",
        unit: "×",
        measure: (standings) => {
            const [ours, theirs] = [rates(standings, own), rates(standings, other)];
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

export function isMet(
    { limit, direction }: Pick<Floor, "limit" | "direction">,
    measured: number,
): boolean {
    return direction === "least" ? measured >= limit : measured <= limit;
}

function rates(standings: Standings, name: string): readonly number[] | undefined {
    return standings.get(name)?.map(({ rate }: Sample) => rate);
}
