import { isRate, type Figures } from "./figures.ts";

/** Values of a process at a time; undefined: it was not scraped then. */
export type Values = Figures | undefined;

export interface Growth {
    readonly figures: Figures;
    /** Whether a counter fell, which none of the service does: its growth is left out. */
    readonly hasFallen: boolean;
}

/**
 * Growth of a process between two times. A counter that the first time lacks was 0 then.
 *
 * @param version figure that its requests also count towards
 * @returns undefined if the values of one of the times are unknown
 */
export function growthBetween(first: Values, last: Values, version: string): Growth | undefined {
    if (!first || !last) return undefined;
    const figures: Record<string, number> = {};
    // A scrape of which Prometheus has no counters.
    let hasFallen = Object.keys(last).length === 0 && Object.keys(first).length > 0;
    for (const [name, value] of Object.entries(last)) {
        if (isRate(name)) continue;
        const growth = value - (first[name] ?? 0);
        // Sums of fractions, such as dollars, are not exact.
        if (growth < -1e-9 * Math.abs(value) || Number.isNaN(growth)) hasFallen = true;
        else figures[name] = Math.max(0, growth);
    }
    const { requests } = figures;
    if (requests !== undefined) figures[version] = requests;
    return { figures, hasFallen };
}
