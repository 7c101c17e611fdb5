import type { Cell, Standings } from "../bench/cell.ts";
import { isMet } from "../bench/floors.ts";
import type { Latency, Sample } from "../generators/sample.ts";
import type { Workload } from "../workload.ts";
import { median, pairedRatio, spread } from "./statistics.ts";

/** What a cell found, as it stands in the JSON. */
export interface CellResult {
    readonly id: string;
    readonly title: string;
    readonly workload: Workload;
    readonly connections: number;
    readonly seconds: number;
    readonly contestants: readonly Standing[];
    readonly floors: readonly FloorResult[];
}

/** Medians over the repetitions; latencies in milliseconds. */
export interface Standing {
    readonly name: string;
    readonly rate: number;
    /** (most − least) ÷ median of the rates. */
    readonly spread: number;
    /** Rate over that of the first of the cell's peers, turn by turn. */
    readonly ratio: number | undefined;
    readonly latency: Latency;
    readonly bytesPerAnswer: number;
    readonly failed: number;
    readonly serverCore: number;
    readonly generatorCore: number;
    readonly samples: readonly Sample[];
}

export interface FloorResult {
    readonly what: string;
    readonly measured: number;
    readonly unit: string;
    readonly met: boolean;
}

const PERCENTILES = ["p50", "p90", "p99", "p999", "max"] as const;

export function cellResult(cell: Cell, standings: Standings): CellResult {
    const { id, title, workload, connections, seconds } = cell;
    const reference = standings.get(cell.peers[0]?.name ?? "");
    const contestants = [...standings].map(([name, samples]) => standing(name, samples, reference));
    return {
        ...{ id, title, workload, connections, seconds, contestants },
        floors: cell.floors.flatMap((floor) => {
            const measured = floor.measure(standings);
            if (measured === undefined) return [];
            const { what, unit } = floor;
            return [{ what, unit, measured, met: isMet(floor, measured) }];
        }),
    };
}

function standing(
    name: string,
    samples: readonly Sample[],
    reference: readonly Sample[] | undefined,
): Standing {
    const of = (pick: (sample: Sample) => number): number => median(samples.map(pick));
    const rates = samples.map(({ rate }) => rate);
    const latency = Object.fromEntries(
        PERCENTILES.map((percentile) => [percentile, of((sample) => sample.latency[percentile])]),
    ) as unknown as Latency;
    return {
        name,
        rate: median(rates),
        spread: spread(rates),
        ratio:
            reference &&
            pairedRatio(
                rates,
                reference.map(({ rate }) => rate),
            ),
        latency,
        bytesPerAnswer: Math.round(of(({ bytesPerSecond, rate }) => bytesPerSecond / rate)),
        failed: samples.reduce((sum, { failed }) => sum + failed, 0),
        serverCore: of(({ serverCore }) => serverCore),
        generatorCore: of(({ generatorCore }) => generatorCore),
        samples,
    };
}
