import type { Latency, Sample } from "../generators/sample.ts";

/** What a trial found, as it stands in the JSON. */
export interface Finding {
    readonly id: string;
    readonly title: string;
    /** Workload, connections, seconds: what it was measured under. */
    readonly setting: Readonly<Record<string, unknown>>;
    readonly standings: readonly Standing[];
    /** Rows of a table: one value a column, the same columns in each. */
    readonly facts: readonly Fact[];
    readonly floors: readonly FloorResult[];
    /** Who did not take part, and why. */
    readonly notes: readonly string[];
    /** Version of each contestant. */
    readonly versions: Readonly<Record<string, string>>;
}

export type Fact = Readonly<Record<string, string | number>>;

/** Medians over the repetitions; latencies in milliseconds. */
export interface Standing {
    readonly name: string;
    readonly rate: number;
    /** (most − least) ÷ median of the rates. */
    readonly spread: number;
    /** Rate over that of the contest's reference, turn by turn. */
    readonly ratio: number | undefined;
    readonly latency: Latency;
    readonly bytesPerAnswer: number;
    readonly failed: number;
    readonly serverCore: number;
    readonly generatorCore: number;
    readonly samples: readonly Sample[];
}

/** What the service has promised, beside what was measured. */
export interface FloorResult {
    readonly what: string;
    readonly measured: number;
    readonly unit: Unit;
    readonly met: boolean;
}

export type Unit = "×" | "ms" | "%" | "requests" | "probes" | "restarts" | "MiB";
