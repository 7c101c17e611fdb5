import {
    JOBS,
    METRICS,
    NAMESPACES,
    RELEASE_INFO,
    SCRAPE_INTERVAL_SECONDS,
    type ReleasePhase,
} from "@property-search/contract";
import { lifetimeOf, sumOverhead, type PricedTime } from "../analysis/platform.ts";
import { quote, select, type Prometheus, type Series, type Window } from "../prometheus/client.ts";
import {
    readProcesses,
    targetKey,
    targetOf,
    type Gap,
    type Scrapes,
    type ServiceProcess,
} from "../prometheus/processes.ts";
import { growthBetween, type Values } from "./growth.ts";
import type { Bin, ImpactEvent } from "./bin.ts";
import { addTo, FIGURE_LABELS, figuresOf, readAll, SERIES_NAMES, type Figures } from "./figures.ts";

export interface Reading {
    /** Ascending, without overlaps. A time without any data has no bin. */
    readonly bins: readonly Bin[];
    readonly events: readonly ImpactEvent[];
    readonly gaps: readonly Gap[];
}

export interface ReadingArgs {
    /** Its last step may be shorter. */
    readonly window: Window;
    readonly stepSeconds: number;
    /** Time after the window that is read to see whether pods have ended. */
    readonly settleSeconds: number;
    /** Whether Prometheus has no earlier data of the service: the window may begin before the service did. Default: false */
    readonly isFirst?: boolean;
}

/**
 * Reads the growth of all figures in each step of a window. The value of a counter at a step's end is that of the last
 * scrape before it, so that steps, and windows that follow one another, add up exactly. If a process was not scraped at a
 * step's end, steps are merged until it was.
 *
 * @throws PrometheusError
 */
export async function readBins(
    prometheus: Prometheus,
    { window, stepSeconds, settleSeconds, isFirst = false }: ReadingArgs,
): Promise<Reading> {
    const { from, to } = window;
    const read = { from, to: to + settleSeconds };
    const scrapes = await readProcesses(prometheus, read);
    const all = scrapes.gaps.flatMap((gap) => clip(gap, window));
    const lead = isFirst ? findLead(all, scrapes, window) : undefined;
    const gaps = all.filter((gap) => gap !== lead);
    if (scrapes.processes.length === 0) return { bins: [], events: [], gaps };
    const blind = all.filter((gap) => gap.pod === undefined && !isBridged(gap, scrapes, window));
    const bounds = boundsOf(window, stepSeconds);
    const [values, gauges] = await Promise.all([
        readValues(prometheus, { scrapes, bounds, stepSeconds }),
        readGauges(prometheus, window, stepSeconds),
    ]);
    const times = values.map(({ process, rates }) => ({
        // Until the scrape after its last one, as for the report.
        ...lifetimeUntilNextScrape(process, read, scrapes.intervalSeconds),
        colour: process.target.colour ?? "unknown",
        rates,
    }));
    const bins: Bin[] = [];
    let begin = 0;
    for (let end = 1; end < bounds.length; end += 1) {
        const isLast = end === bounds.length - 1;
        const growths = values.map(({ process, at }) =>
            growthBetween(at[begin], at[end], versionOf(process)),
        );
        if (!isLast && growths.includes(undefined)) continue;
        const bin = { from: bounds[begin] ?? from, to: bounds[end] ?? to };
        const overhead = overheadIn(times, bin);
        const seconds = bin.to - bin.from - lengthOf(blind.flatMap((gap) => clip(gap, bin)));
        const figures: Record<string, number> = {};
        for (const growth of growths) addTo(figures, growth?.figures ?? {});
        addTo(figures, overhead);
        const hasFallen = growths.some((growth) => growth?.hasFallen ?? true);
        if (seconds > 0) {
            figures.seconds = seconds;
            addNet(figures, seconds);
            const ended = gauges.filter(({ at }) => at > bin.from && at <= bin.to);
            addCpu(figures, ended, seconds);
            const inFlight = ended.flatMap(({ values }) => values.inFlight ?? []);
            const overlapping = gaps.flatMap((gap) => clip(gap, bin));
            bins.push({
                from: lead ? Math.max(bin.from, lead.to) : bin.from,
                to: bin.to,
                figures,
                peaks: inFlight.length > 0 ? { inFlight: Math.max(...inFlight) } : {},
                isPartial: hasFallen || overlapping.some(({ losesCounts }) => losesCounts),
            });
        }
        begin = end;
    }
    const events = [...scalingEvents(scrapes, read), ...(await readChanges(prometheus, window))]
        .filter(({ at }) => at >= from && at < to)
        .sort((a, b) => a.at - b.at);
    return { bins, events, gaps };
}

function boundsOf({ from, to }: Window, step: number): readonly number[] {
    const count = Math.max(1, Math.round((to - from) / step));
    return Array.from({ length: count + 1 }, (_, at) => Math.min(to, from + at * step));
}

function clip<W extends Window>(one: W, { from, to }: Window): readonly W[] {
    const clipped = { ...one, from: Math.max(one.from, from), to: Math.min(one.to, to) };
    return clipped.to > clipped.from ? [clipped] : [];
}

const lengthOf = (times: readonly Window[]): number =>
    times.reduce((all, { from, to }) => all + to - from, 0);

/** The time before the first pod, if all pods were seen from their start on: nothing is missing in it. */
function findLead(gaps: readonly Gap[], { processes }: Scrapes, { from }: Window): Gap | undefined {
    if (processes.some(({ baseline }) => baseline !== undefined)) return undefined;
    return gaps.find((gap) => gap.pod === undefined && gap.from === from);
}

/** Whether a process was scraped before and after a gap: its counts of the gap are known, though not their times. */
const isBridged = (gap: Window, { processes }: Scrapes, { to }: Window): boolean =>
    processes.some(
        ({ baseline, scrapes: [first = Infinity], scrapes }) =>
            (baseline ?? first) <= gap.from && scrapes.some((time) => time >= gap.to && time <= to),
    );

function addNet(figures: Record<string, number>, seconds: number): void {
    const { saved, billedForCache, pods, storage } = figures;
    if (saved === undefined || billedForCache === undefined) return;
    if (pods === undefined || storage === undefined) return;
    figures.net = saved - billedForCache - pods - storage;
    figures.netSeconds = seconds;
}

function addCpu(figures: Record<string, number>, gauges: readonly Gauges[], seconds: number): void {
    const cores = gauges.flatMap(({ values }) => values.cpuLimit ?? []);
    const { cpuSeconds } = figures;
    if (cores.length === 0 || cpuSeconds === undefined) return;
    figures.cpuOffered = (cores.reduce((all, one) => all + one, 0) / cores.length) * seconds;
    figures.cpuOfOffered = cpuSeconds;
}

function versionOf({ target: { colour = "unknown", version = "unknown" } }: ServiceProcess) {
    return `served ${colour} ${version}`;
}

function lifetimeUntilNextScrape(process: ServiceProcess, window: Window, interval: number) {
    const { from, to } = lifetimeOf(process, window);
    return { from, to: to + interval };
}

interface PodTime extends PricedTime {
    readonly colour: string;
}

function overheadIn(times: readonly PodTime[], bin: Window): Figures {
    const within = times.flatMap((time) => clip(time, bin));
    const { pod, storage } = sumOverhead(within);
    const figures: Record<string, number> = {
        ...(pod !== null && { pods: pod }),
        ...(storage !== null && { storage }),
    };
    for (const { colour, from, to } of within)
        addTo(figures, { [`podSeconds ${colour}`]: to - from });
    return figures;
}

interface ValuesQuery {
    readonly scrapes: Scrapes;
    readonly bounds: readonly number[];
    readonly stepSeconds: number;
}

interface ProcessValues {
    readonly process: ServiceProcess;
    /** At each bound. */
    readonly at: readonly Values[];
    /** Dollars per hour, by kind of cost. */
    readonly rates: Figures;
}

/** Reads the values of each process at the bounds. */
async function readValues(
    prometheus: Prometheus,
    { scrapes, bounds, stepSeconds }: ValuesQuery,
): Promise<readonly ProcessValues[]> {
    const { processes, toleranceSeconds } = scrapes;
    const names = new Set(processes.flatMap(({ target }) => Object.keys(target)));
    const kept = ["__name__", ...names, ...FIGURE_LABELS].join(",");
    // Tenants and models are summed by Prometheus: they are most of the series.
    const sum = (selector: string, range: number) =>
        `sum by (${kept}) (last_over_time(${selector}[${Math.ceil(range)}s]))`;
    const all = `{__name__=~${quote(SERIES_NAMES)},job=${quote(JOBS.service)}}`;
    const [first = NaN, last = NaN] = [bounds[0], bounds.at(-1)];
    // A range, since the latest scrape of a pod that has ended is before the step's end.
    const rangeUntil = (bound: number) =>
        (bound === first ? toleranceSeconds : Math.max(stepSeconds, toleranceSeconds)) + 1;
    const isOnStep = (last - first) % stepSeconds === 0;
    const steps = { from: first + stepSeconds, to: last };
    const [atStart, atSteps, atEnd] = await Promise.all([
        prometheus.query(sum(all, rangeUntil(first)), first),
        steps.to < steps.from
            ? []
            : prometheus.queryRange(sum(all, rangeUntil(last)), steps, stepSeconds),
        isOnStep ? [] : prometheus.query(sum(all, rangeUntil(last)), last),
    ]);
    const grid = sumByTarget([...atStart, ...atSteps, ...atEnd]);

    /** Values of exactly one scrape. */
    const readScrape = async ({ target }: ServiceProcess, seconds: number): Promise<Values> => {
        const selector = select(target).replace("{", `{__name__=~${quote(SERIES_NAMES)},`);
        const found = await prometheus.query(sum(selector, 1), seconds);
        return sumByTarget(found).get(gridKey(targetKey(target), seconds));
    };
    const byTarget = Map.groupBy(processes, ({ target }) => targetKey(target));
    const ofScrapes = new Map<string, Values>();
    /**
     * The step's end at which the grid has the values of a scrape: no later scrape of the target is before it, and an
     * earlier process of the target is not in its range, of which it may have series that the later one lacks.
     */
    const boundOf = (process: ServiceProcess, seconds: number): number | undefined => {
        const {
            target,
            isRestart,
            scrapes: [begin = NaN],
        } = process;
        const bound = bounds.find((one) => one >= seconds);
        if (bound === undefined || (isRestart && begin > bound - rangeUntil(bound)))
            return undefined;
        const isLatest = !(byTarget.get(targetKey(target)) ?? []).some((one) =>
            one.scrapes.some((time) => time > seconds && time <= bound),
        );
        return isLatest ? bound : undefined;
    };
    const read = async (process: ServiceProcess, seconds: number): Promise<Values> => {
        const target = targetKey(process.target);
        const bound = boundOf(process, seconds);
        if (bound !== undefined) return grid.get(gridKey(target, bound));
        const key = `${seconds} ${target}`;
        if (!ofScrapes.has(key)) ofScrapes.set(key, await readScrape(process, seconds));
        return ofScrapes.get(key);
    };

    const found: ProcessValues[] = [];
    for (const process of processes) {
        const { baseline, lastScrape } = process;
        const end = latestUntil(process, last);
        const start =
            baseline === undefined
                ? {}
                : baseline > last
                  ? undefined
                  : await read(process, baseline);
        const at: Values[] = [];
        for (const bound of bounds) {
            const latest = latestUntil(process, bound);
            const isBefore = latest === undefined || (baseline !== undefined && latest < baseline);
            // Scraped until its end, or that of the window: later values are the last ones.
            const isOver = latest === end && (lastScrape <= bound || bound === last);
            if (isBefore) at.push(start);
            else if (isOver || bound - latest <= toleranceSeconds)
                at.push(await read(process, latest));
            else at.push(undefined);
        }
        found.push({ process, at, rates: readAll(at.at(-1) ?? {}, "rate") });
    }
    return found;
}

const latestUntil = ({ scrapes }: ServiceProcess, seconds: number): number | undefined =>
    scrapes.findLast((time) => time <= seconds);

const gridKey = (target: string, seconds: number): string => `${Math.round(seconds)} ${target}`;

function sumByTarget(series: readonly Series[]): ReadonlyMap<string, Figures> {
    const sums = new Map<string, Record<string, number>>();
    const own: readonly string[] = FIGURE_LABELS;
    for (const { labels, samples } of series) {
        const names = figuresOf(labels);
        const target = targetKey(
            Object.fromEntries(
                Object.entries(targetOf(labels)).filter(([name]) => !own.includes(name)),
            ),
        );
        for (const [seconds, value] of samples) {
            const key = gridKey(target, seconds);
            const figures = sums.get(key) ?? {};
            sums.set(key, figures);
            for (const name of names) addTo(figures, { [name]: value });
        }
    }
    return sums;
}

interface Gauges {
    readonly at: number;
    readonly values: Readonly<Partial<Record<"inFlight" | "cpuLimit", number>>>;
}

/** Gauges of the platform at the end of each step. Those that nobody exports are absent. */
async function readGauges(
    prometheus: Prometheus,
    { from, to }: Window,
    stepSeconds: number,
): Promise<readonly Gauges[]> {
    const namespaces = `namespace=~${quote(`${NAMESPACES.blue}|${NAMESPACES.green}`)}`;
    const name = (figure: string, expr: string) =>
        `label_replace(${expr}, "figure", ${quote(figure)}, "", "")`;
    const over = (expr: string) => `(${expr})[${stepSeconds}s:${SCRAPE_INTERVAL_SECONDS}s]`;
    const inFlight = `max_over_time(${over(`sum(${METRICS.inFlight}{job=${quote(JOBS.service)}})`)})`;
    const limits = `sum(kube_pod_container_resource_limits{resource="cpu",${namespaces}})`;
    const found = await prometheus.queryRange(
        `${name("inFlight", inFlight)} or ${name("cpuLimit", `avg_over_time(${over(limits)})`)}`,
        { from, to },
        stepSeconds,
    );
    const byTime = new Map<number, Record<string, number>>();
    for (const { labels, samples } of found) {
        for (const [at, value] of samples) {
            const values = byTime.get(at) ?? {};
            byTime.set(at, values);
            values[labels.figure ?? ""] = value;
        }
    }
    return [...byTime].map(([at, values]) => ({ at, values }));
}

/** Pods that came, went or restarted. Changes next to a gap of all pods are unknown. */
function scalingEvents(
    { processes, gaps, toleranceSeconds }: Scrapes,
    window: Window,
): readonly ImpactEvent[] {
    const blind = gaps.filter(({ pod }) => pod === undefined);
    const isSeen = (time: number) =>
        !blind.some(
            (gap) => time >= gap.from - toleranceSeconds && time <= gap.to + toleranceSeconds,
        );
    const lastOf = new Map<string, number>();
    for (const { target, lastScrape } of processes) {
        const key = targetKey(target);
        lastOf.set(key, Math.max(lastOf.get(key) ?? 0, lastScrape));
    }
    return processes.flatMap((process): ImpactEvent[] => {
        const { target, baseline, isRestart, lastScrape } = process;
        const { colour = "unknown", version = "", pod = target.instance ?? "unknown" } = target;
        const of = `${colour} ${version}`.trim();
        const began = process.scrapes[0] ?? lastScrape;
        const hasEnded =
            lastScrape < window.to - toleranceSeconds &&
            lastOf.get(targetKey(target)) === lastScrape;
        const event = (at: number, text: string): ImpactEvent[] =>
            isSeen(at) ? [{ at, kind: "scaling", text }] : [];
        return [
            ...(isRestart && began >= window.from ? event(began, `Restarted: ${pod} (${of})`) : []),
            ...(!isRestart && baseline === undefined ? event(began, `Added: ${pod} (${of})`) : []),
            ...(hasEnded ? event(lastScrape, `Removed: ${pod} (${of})`) : []),
        ];
    });
}

/** Phases of a release that people know; the others are steps of it. */
const PHASES: Readonly<Partial<Record<ReleasePhase, string>>> = {
    preflight: "began",
    abort: "is rolled back",
    "rolled-back": "was rolled back",
    promoted: "is complete",
};
/** What existed in this time before the window did not begin in it. */
const EARLIER_SECONDS = 900;

/** Begins of experiments, and of phases of releases, to the minute. */
async function readChanges(prometheus: Prometheus, { from, to }: Window): Promise<ImpactEvent[]> {
    const firstSeen = (by: string, selector: string) =>
        prometheus.query(
            `min_over_time(timestamp(max by (${by}) (${selector}))[${Math.ceil(to - from + EARLIER_SECONDS)}s:1m])`,
            to,
        );
    const phases = quote(Object.keys(PHASES).join("|"));
    const [releases, experiments] = await Promise.all([
        firstSeen("switch,candidate,phase", `${RELEASE_INFO}{phase=~${phases}}`),
        firstSeen("experiment", METRICS.experimentLookups),
    ]);
    const timeOf = ({ samples }: Series) => samples[0]?.[1] ?? NaN;
    return [
        ...releases.map((series): ImpactEvent => {
            const { candidate = "", phase } = series.labels;
            const what = PHASES[phase as ReleasePhase] ?? "";
            return { at: timeOf(series), kind: "release", text: `Release to ${candidate} ${what}` };
        }),
        ...experiments.map((series): ImpactEvent => ({
            at: timeOf(series),
            kind: "experiment",
            text: `Experiment ${series.labels.experiment ?? ""} runs`,
        })),
    ];
}
