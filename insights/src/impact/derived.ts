import { SAVING_RESULTS } from "@property-search/contract";
import { quantileOf } from "../analysis/quantile.ts";
import { formatTime } from "../analysis/report.ts";
import { add, addMeasured, parseBound, ratio } from "../analysis/totals.ts";
import type { Bin } from "./bin.ts";
import { read, readAll, type Figures } from "./figures.ts";
import type { Feedback, Figure, ImpactView } from "./view.ts";

export function countLookups(figures: Figures): { readonly hits: Figure; readonly total: Figure } {
    const hits = addMeasured(SAVING_RESULTS.map((result) => read(figures, `lookups ${result}`)));
    return { hits, total: add(hits, read(figures, "lookups miss")) };
}

export function quantileIn(figures: Figures, fraction: number): Figure {
    const buckets = Object.entries(readAll(figures, "answers")).map(
        ([le, count]) => [parseBound(le), count] as const,
    );
    return quantileOf(buckets, fraction) ?? null;
}

export function feedbackOf(figures: Figures, name: string): Feedback {
    const relevant = read(figures, `${name} relevant`);
    const irrelevant = read(figures, `${name} irrelevant`);
    return { relevant, irrelevant, share: ratio(relevant, add(relevant, irrelevant)) };
}

export function versionsOf(bins: readonly Bin[]): ImpactView["versions"] {
    const found = new Map<string, { requests: number; first: number; last: number }>();
    for (const { from, to, figures } of bins) {
        for (const [name, requests] of Object.entries(readAll(figures, "served"))) {
            if (requests === 0) continue;
            const known = found.get(name) ?? { requests: 0, first: from, last: to };
            found.set(name, { ...known, requests: known.requests + requests, last: to });
        }
    }
    const all = [...found.values()].reduce((sum, { requests }) => sum + requests, 0);
    return [...found]
        .sort(([, a], [, b]) => b.last - a.last || b.first - a.first)
        .map(([name, { requests, first, last }]) => {
            const [colour = "", version = ""] = name.split(" ");
            return {
                ...{ colour, version, requests },
                share: requests / all,
                firstServed: formatTime(first),
                lastServed: formatTime(last),
            };
        });
}
