import type { Window } from "../prometheus/client.ts";
import { addTo, type Figures } from "./figures.ts";

/** Growth of all figures in a time. Its ends are scrapes, so that bins of adjacent times add up exactly. */
export interface Bin extends Window {
    readonly figures: Figures;
    /** Highest values of gauges: `inFlight`. */
    readonly peaks: Figures;
    /** Whether counts of this time are missing: the recorded ones are lower bounds. */
    readonly isPartial: boolean;
}

export const EVENT_KINDS = ["release", "scaling", "experiment", "tuning"] as const;

export type EventKind = (typeof EVENT_KINDS)[number];

export interface ImpactEvent {
    /** Unix seconds. */
    readonly at: number;
    readonly kind: EventKind;
    readonly text: string;
}

/** @returns one bin over the times of all of them; undefined without any */
export function mergeBins(bins: readonly Bin[]): Bin | undefined {
    const [first] = bins;
    if (!first) return undefined;
    const figures: Record<string, number> = {};
    const peaks: Record<string, number> = {};
    for (const bin of bins) {
        addTo(figures, bin.figures);
        for (const [name, value] of Object.entries(bin.peaks))
            peaks[name] = Math.max(peaks[name] ?? -Infinity, value);
    }
    return {
        from: Math.min(...bins.map(({ from }) => from)),
        to: Math.max(...bins.map(({ to }) => to)),
        figures,
        peaks,
        isPartial: bins.some(({ isPartial }) => isPartial),
    };
}

/** Merges bins of the same multiple of a step, aligned to UTC. */
export function downsample(bins: readonly Bin[], stepSeconds: number): readonly Bin[] {
    const groups = Map.groupBy(bins, ({ from }) => Math.floor(from / stepSeconds));
    return [...groups].sort(([a], [b]) => a - b).flatMap(([, group]) => mergeBins(group) ?? []);
}
