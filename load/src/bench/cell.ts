import type { Load, Sample } from "../generators/sample.ts";
import type { Peer } from "../peers/peer.ts";
import type { Service } from "../peers/service/service.ts";
import type { Workload } from "../workload.ts";

export type Generator = (load: Load, signal: AbortSignal) => Promise<Sample>;

/** One question, asked of several contestants in turn under the same load. */
export interface Cell {
    readonly id: string;
    readonly title: string;
    readonly workload: Workload;
    readonly connections: number;
    readonly generator: Generator;
    /** Always takes part; others are compared with it. */
    readonly service: Service;
    readonly peers: readonly Peer[];
    readonly seconds: number;
    readonly repetitions: number;
    readonly floors: readonly Floor[];
}

/** What the service has promised for a cell. */
export interface Floor {
    readonly what: string;
    readonly limit: number;
    /** Whether the limit is the least or the most allowed. */
    readonly direction: "least" | "most";
    readonly unit: "×" | "ms" | "%";
    /** @returns undefined when a contestant that it needs did not take part. */
    readonly measure: (standings: Standings) => number | undefined;
}

/** Samples by contestant, one a repetition, in the order in which they were taken. */
export type Standings = ReadonlyMap<string, readonly Sample[]>;
