import type { Sample } from "../generators/sample.ts";
import type { Quantiles } from "../../shared/quantiles.ts";

/** Result of a benchmark, as in the JSON. */
export interface BenchmarkResult {
    readonly id: string;
    readonly title: string;
    /** Workload, connections, seconds and other parameters. */
    readonly setting: Readonly<Record<string, unknown>>;
    readonly peers: readonly PeerResult[];
    /** Rows of a table; all rows have the same columns. */
    readonly facts: readonly Fact[];
    readonly floors: readonly FloorResult[];
    /** Peers that were left out, with the reasons, and other remarks. */
    readonly notes: readonly string[];
    /** Versions by name of the peer. */
    readonly versions: Readonly<Record<string, string>>;
}

export type Fact = Readonly<Record<string, string | number>>;

/** Medians over the repetitions; latencies in milliseconds. */
export interface PeerResult {
    readonly name: string;
    readonly rate: number;
    /** (most − least) ÷ median of the rates. */
    readonly spread: number;
    /** Rate relative to the reference peer: median over the turns. */
    readonly ratio: number | undefined;
    readonly latency: Quantiles;
    readonly bytesPerAnswer: number;
    readonly failed: number;
    readonly serverCore: number;
    readonly generatorCore: number;
    readonly samples: readonly Sample[];
}

/** A limit of the service and the measured value. */
export interface FloorResult {
    readonly description: string;
    readonly measured: number;
    readonly unit: Unit;
    readonly met: boolean;
}

export type Unit = "×" | "ms" | "%" | "requests" | "probes" | "restarts" | "MiB";
