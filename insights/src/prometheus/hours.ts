import { JOBS } from "@property-search/contract";
import { quote, type Prometheus, type Series, type Window } from "./client.ts";
import type { ProcessCounts } from "./counters.ts";
import { HOURLY_METRICS, sumForHours, type HourlySums } from "./hourlySums.ts";
import { targetKey, targetOf, type Gap, type Scrapes } from "./processes.ts";

/** Growth of the sums in one hour. */
export interface HourCounts extends Window {
    /** Undefined: no scrape at one of its ends, or no data at all. */
    readonly growth: HourlySums | undefined;
    /** Whether counts of this hour are missing. */
    readonly isPartial: boolean;
}

const HOUR_SECONDS = 3600;

export interface HoursQuery extends Pick<Scrapes, "gaps" | "toleranceSeconds"> {
    readonly window: Window;
    readonly counts: readonly ProcessCounts[];
}

/**
 * Reads the growth of counters in each hour of the window. The value at an hour's end is that of the last scrape before it.
 * If that scrape is missing, the growth of both adjacent hours is unknown; the total of the window is not affected.
 *
 * @throws PrometheusError
 */
export async function readHours(
    prometheus: Prometheus,
    { window, counts, gaps, toleranceSeconds }: HoursQuery,
): Promise<readonly HourCounts[]> {
    const selector = `{__name__=~${quote(HOURLY_METRICS.join("|"))},job=${quote(JOBS.service)}}`;
    const targetNames = new Set(counts.flatMap(({ process }) => Object.keys(process.target)));
    // Tenants are summed by Prometheus: they are most of the series.
    const kept = ["__name__", ...targetNames, ...FIGURE_LABELS].join(",");
    const series = await prometheus.queryRange(
        `sum by (${kept}) (${selector})`,
        window,
        HOUR_SECONDS,
    );
    const grid = sumByTargetAndTime(series);
    const at = (one: ProcessCounts, seconds: number) =>
        growthUntil(one, seconds, toleranceSeconds, grid);
    const hours: HourCounts[] = [];
    for (let from = window.from; from < window.to; from += HOUR_SECONDS) {
        const hour = { from, to: Math.min(from + HOUR_SECONDS, window.to) };
        const overlapping = gaps.filter((gap) => gap.from < hour.to && gap.to > hour.from);
        const isBlind = overlapping.some((gap) => isWithin(hour, gap));
        const growth = isBlind
            ? undefined
            : sumAll(counts.map((one) => subtract(at(one, hour.to), at(one, hour.from))));
        hours.push({
            ...hour,
            growth,
            isPartial: overlapping.some(({ losesCounts }) => losesCounts),
        });
    }
    return hours;
}

const isWithin = (hour: Window, { pod, from, to }: Gap): boolean =>
    pod === undefined && from <= hour.from && to >= hour.to;

type Grid = ReadonlyMap<string, HourlySums>;

const gridKey = (target: string, seconds: number): string => `${Math.round(seconds)} ${target}`;

function sumByTargetAndTime(series: readonly Series[]): Grid {
    const groups = new Map<string, Series[]>();
    for (const { labels, samples } of series) {
        const target = targetKey(pickTarget(labels));
        for (const sample of samples) {
            const key = gridKey(target, sample[0]);
            const group = groups.get(key) ?? [];
            if (group.length === 0) groups.set(key, group);
            group.push({ labels, samples: [sample] });
        }
    }
    return new Map([...groups].map(([key, group]) => [key, sumForHours(group)]));
}

/** Labels of the counters that decide on the figure; all others are the target's. */
const FIGURE_LABELS: readonly string[] = ["result", "code", "le"];

function pickTarget(labels: Series["labels"]): Series["labels"] {
    const entries = Object.entries(targetOf(labels));
    return Object.fromEntries(entries.filter(([name]) => !FIGURE_LABELS.includes(name)));
}

/** Growth of a process from the window's start to a time; undefined if there is no scrape at this time. */
function growthUntil(
    { process, sums }: ProcessCounts,
    seconds: number,
    toleranceSeconds: number,
    grid: Grid,
): HourlySums | undefined {
    const { scrapes, baseline, lastScrape, target } = process;
    if (seconds >= lastScrape) return subtract(sums.last, sums.first);
    const latest = scrapes.findLast((time) => time <= seconds);
    if (latest === undefined || (baseline !== undefined && latest <= baseline)) return new Map();
    if (seconds - latest > toleranceSeconds) return undefined;
    const values = grid.get(gridKey(targetKey(target), seconds));
    return values && subtract(values, sums.first);
}

function subtract(
    last: HourlySums | undefined,
    first: HourlySums | undefined,
): HourlySums | undefined {
    if (!last || !first) return undefined;
    return new Map([...last].map(([figure, value]) => [figure, value - (first.get(figure) ?? 0)]));
}

function sumAll(all: readonly (HourlySums | undefined)[]): HourlySums | undefined {
    const total = new Map<string, number>();
    for (const one of all) {
        if (!one) return undefined;
        for (const [figure, value] of one) total.set(figure, (total.get(figure) ?? 0) + value);
    }
    return total;
}
