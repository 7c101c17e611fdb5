import type { CacheResult, Colour } from "@property-search/contract";

/** A deployment's colour looks like its name, and a result the same, in every panel. */
const SERIES_COLOURS: Readonly<Record<Colour | CacheResult, string>> = {
    blue: "#5794F2",
    green: "#73BF69",
    hit_l1: "#37872D",
    hit_l2: "#96D98D",
    coalesced: "#8AB8FF",
    stale: "#FADE2A",
    miss: "#FF9830",
    error: "#E02F44",
};

/** For each kind of series, what its legend begins with, as Grafana's matcher reads it, and its colour. */
export const FIXED_COLOURS = Object.entries(SERIES_COLOURS).map(
    ([name, colour]) => [`/^${name}\\b/`, colour] as const,
);

/** What a figure is held against, by how its legend ends: it is drawn with dashes. */
export const BOUNDS = "/(^| )(limit|max|wanted)$/";

export const GOOD = "green";
export const NEUTRAL = "text";
export const WARNING = "orange";
export const CRITICAL = "red";

/** From a value on, a figure has this colour; the first step holds from the lowest value on. */
export interface Step {
    readonly from: number | null;
    readonly color: string;
}

/** Good up to `warning`, bad from there on, worst from `critical` on. */
export function goodBelow(warning: number, critical?: number): readonly Step[] {
    return [
        { from: null, color: GOOD },
        { from: warning, color: critical === undefined ? CRITICAL : WARNING },
        ...(critical === undefined ? [] : [{ from: critical, color: CRITICAL }]),
    ];
}

/** Good from `warning` on, bad below, worst below `critical`. */
export function goodFrom(warning: number, critical?: number): readonly Step[] {
    return critical === undefined
        ? [
              { from: null, color: WARNING },
              { from: warning, color: GOOD },
          ]
        : [
              { from: null, color: CRITICAL },
              { from: critical, color: WARNING },
              { from: warning, color: GOOD },
          ];
}
