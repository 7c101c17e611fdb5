import type { CacheResult, Colour } from "@property-search/contract";

/** Colours of series in every panel: the two deployments have the colour of their name. */
const SERIES_COLOURS: Readonly<Record<Colour | CacheResult, string>> = {
    blue: "#5794F2",
    green: "#73BF69",
    hit_l1: "#37872D",
    hit_l2: "#96D98D",
    semantic: "#B877D9",
    coalesced: "#8AB8FF",
    stale: "#FADE2A",
    miss: "#FF9830",
    error: "#E02F44",
};

/** Fixed colours by a regular expression for the start of a series' legend. */
export const FIXED_COLOURS = Object.entries(SERIES_COLOURS).map(
    ([name, colour]) => [`/^${name}\\b/`, colour] as const,
);

/** Regular expression for legends of limits and targets, which are drawn with dashes. */
export const REFERENCE_SERIES = "/(^| )(limit|max|desired replicas)$/";

export const GOOD = "green";
export const NEUTRAL = "text";
const WARNING = "orange";
export const CRITICAL = "red";

/** Colour of a panel from a value on; `null` is the lowest value. */
export interface Step {
    readonly from: number | null;
    readonly color: string;
}

/** Threshold steps of a value that should stay low. */
export function lowIsGood(warning: number, critical?: number): readonly Step[] {
    return [
        { from: null, color: GOOD },
        { from: warning, color: critical === undefined ? CRITICAL : WARNING },
        ...(critical === undefined ? [] : [{ from: critical, color: CRITICAL }]),
    ];
}

/** Threshold steps of a value that should stay high. */
export function highIsGood(warning: number, critical?: number): readonly Step[] {
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
