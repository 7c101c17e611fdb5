import { JOBS, SCRAPE_INTERVAL_SECONDS } from "@property-search/contract";
import { quote, type Labels, type Prometheus, type Sample, type Window } from "./client.ts";

/** One process of the service: from its start to its end, its counters only grow. */
export interface ServiceProcess {
    /** Labels of its target: job, instance, namespace, pod, colour, version. */
    readonly target: Labels;
    /** Times of its successful scrapes, in Unix seconds, ascending; at least one is in the window. */
    readonly scrapes: readonly number[];
    /** Scrape whose values are subtracted; undefined: its counters started at 0 in the window. */
    readonly baseline: number | undefined;
    readonly lastScrape: number;
    /** Whether it replaced another process of the same pod. */
    readonly isRestart: boolean;
}

/** A time without data. */
export interface Gap extends Window {
    /** A pod; undefined: the whole service. */
    readonly pod?: string;
    readonly reason: string;
    /** Whether counts are missing from the totals. Otherwise only their hour is unknown. */
    readonly losesCounts: boolean;
}

export interface Scrapes {
    readonly processes: readonly ServiceProcess[];
    readonly gaps: readonly Gap[];
    /** Median interval of scrapes. */
    readonly intervalSeconds: number;
    /** Longest interval that is not a gap. */
    readonly toleranceSeconds: number;
}

/** Scrapes that may fail in a row without being a gap. */
const TOLERATED_FAILURES = 2;
/** Difference of a pod's clock from Prometheus' that is not reported. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** Samples before the window that are read for the baseline. It must be younger than a gap. */
const LEAD_SECONDS = 300;

const START_TIME = "process_start_time_seconds";

/**
 * Reads the processes of the service, and the times for which data are missing.
 *
 * `process_start_time_seconds` has a sample for each successful scrape, and changes if and only if the process does. A
 * counter of a process grows by its last value less its value at the window's start, whatever happened in between. This is
 * exact, whereas `increase()` extrapolates to the ends of its window and guesses at the first sample of a series.
 */
export async function readProcesses(prometheus: Prometheus, window: Window): Promise<Scrapes> {
    const lead = { from: window.from - LEAD_SECONDS, to: window.to };
    const [starts, ups] = await Promise.all([
        prometheus.readSamples(`${START_TIME}{job=${quote(JOBS.service)}}`, lead),
        prometheus.readSamples(`up{job=~${quote(`${JOBS.service}|${JOBS.prometheus}`)}}`, window),
    ]);
    const intervalSeconds = medianInterval(starts.map(({ samples }) => samples));
    // Half an interval more: scrapes are not exactly one interval apart.
    const toleranceSeconds = intervalSeconds * (TOLERATED_FAILURES + 1.5);
    const attempts = new Map(ups.map(({ labels, samples }) => [targetKey(labels), samples]));

    const gaps = findServiceGaps(
        starts.flatMap(({ samples }) => samples.map(([time]) => time)),
        ups.flatMap(({ samples }) => samples.map(([time]) => time)),
        window,
        toleranceSeconds,
    );
    const processes: ServiceProcess[] = [];
    for (const { labels, samples } of starts) {
        const target = targetOf(labels);
        const failures = (attempts.get(targetKey(labels)) ?? []).filter(([, up]) => up === 0);
        const found = readTarget({ target, samples, failures, window, toleranceSeconds });
        processes.push(...found.processes);
        for (const gap of found.gaps) {
            const isKnown = gaps.some(
                ({ pod, from, to }) =>
                    pod === undefined &&
                    from - toleranceSeconds <= gap.from &&
                    gap.to <= to + toleranceSeconds,
            );
            if (!isKnown) gaps.push(gap);
        }
    }
    return {
        processes,
        gaps: gaps.sort((a, b) => a.from - b.from || a.to - b.to),
        intervalSeconds,
        toleranceSeconds,
    };
}

/** Times without a successful scrape of any pod. Processes that lived only in one of them are unknown. */
function findServiceGaps(
    scrapes: readonly number[],
    attempts: readonly number[],
    { from, to }: Window,
    toleranceSeconds: number,
): Gap[] {
    const times = scrapes.filter((time) => time >= from).sort((a, b) => a - b);
    const gaps: Gap[] = [];
    let previous = from;
    for (const time of [...times, to]) {
        if (time - previous > toleranceSeconds) {
            const [begin, end] = [previous, time];
            const hasRun = attempts.some((at) => at > begin + 1 && at < end - 1);
            const reason = hasRun
                ? "Prometheus ran, but no pod of the service answered"
                : "Prometheus has no data of the service";
            gaps.push({ from: begin, to: end, reason, losesCounts: true });
        }
        previous = time;
    }
    return gaps;
}

interface TargetSamples {
    readonly target: Labels;
    /** Start time of its process, at each successful scrape. */
    readonly samples: readonly Sample[];
    readonly failures: readonly Sample[];
    readonly window: Window;
    readonly toleranceSeconds: number;
}

function readTarget({ target, samples, failures, window, toleranceSeconds }: TargetSamples) {
    const pod = target.pod ?? target.instance ?? "unknown";
    const processes: ServiceProcess[] = [];
    const gaps: Gap[] = [];
    const addGap = (from: number, to: number, reason: string, losesCounts: boolean) =>
        gaps.push({
            pod,
            from: Math.max(from, window.from),
            to: Math.min(to, window.to),
            reason,
            losesCounts,
        });
    const runs = splitByStart(samples);
    for (const [index, { startedAt, scrapes }] of runs.entries()) {
        const [first = NaN] = scrapes;
        const last = scrapes.at(-1) ?? NaN;
        const isRestart = index > 0;
        const next = runs[index + 1];
        // Scrapes in the lead: a process that ended before the window is known as a predecessor only.
        if (last < window.from) continue;
        const before = scrapes.findLast(
            (time) => time <= window.from && window.from - time <= toleranceSeconds,
        );
        const clockAhead = startedAt - first;
        // Its predecessor ran until about the window's start, or the clock of its pod says so.
        const predecessor = runs[index - 1]?.scrapes.at(-1) ?? -Infinity;
        const startedInWindow =
            first > window.from &&
            (predecessor >= window.from - toleranceSeconds ||
                (startedAt >= window.from - 1 && clockAhead <= CLOCK_TOLERANCE_SECONDS));
        const baseline =
            before ??
            (startedInWindow ? undefined : (scrapes.find((time) => time > window.from) ?? first));
        processes.push({ target, scrapes, baseline, lastScrape: last, isRestart });

        if (baseline !== undefined && baseline - window.from > toleranceSeconds) {
            const reason =
                clockAhead > CLOCK_TOLERANCE_SECONDS
                    ? `its clock is at least ${Math.round(clockAhead)} s ahead of Prometheus': whether it started in the window is unknown`
                    : "the process is older than its first scrape";
            addGap(window.from, baseline, reason, true);
        }
        for (const [at, time] of scrapes.entries()) {
            const previous = scrapes[at - 1];
            if (previous === undefined || time - previous <= toleranceSeconds) continue;
            if (time > window.from)
                addGap(previous, time, "not scraped; the process kept counting", false);
        }
        const ended = next?.scrapes[0] ?? failures.findLast(([time]) => time > last)?.[0] ?? last;
        if (ended - last > toleranceSeconds)
            addGap(last, ended, "not scraped before its process ended or the window did", true);
    }
    return { processes, gaps };
}

interface Run {
    readonly startedAt: number;
    readonly scrapes: number[];
}

function splitByStart(samples: readonly Sample[]): readonly Run[] {
    const runs: Run[] = [];
    for (const [time, startedAt] of samples) {
        const current = runs.at(-1);
        // Exporters compute the start time once; a second is rounding.
        if (current && Math.abs(current.startedAt - startedAt) <= 1) current.scrapes.push(time);
        else runs.push({ startedAt, scrapes: [time] });
    }
    return runs;
}

function medianInterval(all: readonly (readonly Sample[])[]): number {
    const intervals = all.flatMap((samples) =>
        samples.slice(1).map(([time], at) => time - (samples[at]?.[0] ?? NaN)),
    );
    intervals.sort((a, b) => a - b);
    return Math.max(1, intervals[intervals.length >> 1] ?? SCRAPE_INTERVAL_SECONDS);
}

export function targetOf(labels: Labels): Labels {
    return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== "__name__"));
}

export function targetKey(labels: Labels): string {
    return JSON.stringify(Object.entries(targetOf(labels)).sort(([a], [b]) => (a < b ? -1 : 1)));
}
