import { JOBS, METRICS } from "@property-search/contract";
import { quote, select, type Labels, type Prometheus, type Series, type Window } from "./client.ts";
import { sumForHours, type HourlySums } from "./hourlySums.ts";
import { targetKey, type ServiceProcess } from "./processes.ts";

/** Counters of the service that the report needs, as Prometheus names their series. */
const COUNTERS = [
    METRICS.lookups,
    METRICS.costSaved,
    METRICS.costBilled,
    METRICS.tokensSaved,
    METRICS.tokensBilled,
    METRICS.requests,
    METRICS.rejected,
    METRICS.redisErrors,
    METRICS.redisDropped,
    METRICS.redisCorrupt,
    METRICS.upstreamAttempts,
    METRICS.upstreamCalls,
    METRICS.upstreamInputs,
    METRICS.upstreamOverloaded,
    `${METRICS.responseTime}_bucket`,
    `${METRICS.responseTime}_sum`,
    `${METRICS.responseTime}_count`,
] as const;

/**
 * Counters whose figures need all pods: they are estimates for all requests of the window. Without them, as during the
 * release that adds them, only these figures are not measured.
 */
const COUNTERS_OF_ALL_PODS = [
    METRICS.misses,
    METRICS.ghostFirstRequests,
    METRICS.ghostFetches,
    METRICS.ghostDropped,
    METRICS.feedback,
    `${METRICS.ghostReuseTime}_count`,
    `${METRICS.ghostReuseDistance}_bucket`,
] as const;

const GAUGES = [METRICS.overheadRate, METRICS.buildInfo] as const;

/** Growth of a counter in the window, over all processes. */
export interface Growth {
    readonly name: string;
    /** Labels of the counter itself, without those of its target. */
    readonly labels: Labels;
    value: number;
}

/** Values that belong to one process. */
export interface ProcessCounts {
    readonly process: ServiceProcess;
    /** HTTP requests that it answered in the window. */
    readonly requests: number;
    /** Dollars per hour, by `kind`. */
    readonly overheadRates: Readonly<Record<string, number>>;
    readonly build: Labels | undefined;
    /** Names of the metrics that it exports. */
    readonly metrics: ReadonlySet<string>;
    /** Sums at its baseline and at its last scrape. */
    readonly sums: { readonly first: HourlySums; readonly last: HourlySums };
}

export interface Counts {
    readonly growths: readonly Growth[];
    readonly processes: readonly ProcessCounts[];
    /** What made the totals incomplete, one sentence each. */
    readonly problems: readonly string[];
    /** Counters that are not in the growths, since only some processes export them, with the reason. */
    readonly leftOut: ReadonlyMap<string, string>;
}

/** Processes that are read at once. */
const CONCURRENCY = 2;

/**
 * Reads how much each counter grew in the window: for each process its values at its last scrape, less those at its
 * baseline. A series that the baseline does not have was 0 there, since the process creates a series when it first counts.
 *
 * @throws PrometheusError
 */
export async function readCounts(
    prometheus: Prometheus,
    processes: readonly ServiceProcess[],
    window: Window,
): Promise<Counts> {
    const growths = new Map<string, Growth>();
    const counted: ProcessCounts[] = [];
    const problems: string[] = [];
    const queue = [...processes];
    const work = async () => {
        for (let next = queue.shift(); next; next = queue.shift()) {
            const read = await readProcess(prometheus, next);
            if (typeof read === "string") {
                problems.push(read);
                continue;
            }
            counted.push(read.counts);
            for (const { name, labels, value } of read.growths) {
                const key = `${name} ${targetKey(labels)}`;
                const sum = growths.get(key);
                if (sum) sum.value += value;
                else growths.set(key, { name, labels, value });
            }
            problems.push(...read.problems);
        }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    const missing = findMissing(counted, COUNTERS);
    const leftOut = findMissing(counted, COUNTERS_OF_ALL_PODS);
    problems.push(...missing.values(), ...(await findResets(prometheus, processes, window)));
    return {
        growths: [...growths.values()].filter(({ name }) => !leftOut.has(name)),
        processes: counted,
        problems: problems.sort(),
        leftOut,
    };
}

async function readProcess(prometheus: Prometheus, process: ServiceProcess) {
    const { target, baseline, lastScrape } = process;
    const pod = target.pod ?? target.instance ?? "unknown";
    const names = [...COUNTERS, ...COUNTERS_OF_ALL_PODS, ...GAUGES].join("|");
    const selector = select(target).replace(/\{/, `{__name__=~${quote(names)},`);
    const [first, last] = await Promise.all([
        baseline === undefined ? [] : prometheus.query(selector, baseline),
        prometheus.query(selector, lastScrape),
    ]);
    if (last.length === 0) return `${pod}: Prometheus has no counters of its last scrape`;
    const before = new Map(first.map((series) => [seriesKey(series), valueOf(series)]));
    const growths: Growth[] = [];
    const problems = new Set<string>();
    for (const series of last) {
        const name = series.labels.__name__ ?? "";
        if (!isCounter(name)) continue;
        const value = valueOf(series) - (before.get(seriesKey(series)) ?? 0);
        if (value < 0 || Number.isNaN(value)) {
            problems.add(`${pod}: ${name} fell without a restart; its counts are left out`);
            continue;
        }
        growths.push({ name, labels: ownLabels(series.labels, target), value });
    }
    const gauge = (name: string) => last.filter(({ labels }) => labels.__name__ === name);
    const overheadRates = gauge(METRICS.overheadRate).map(
        (series) => [series.labels.kind ?? "", valueOf(series)] as const,
    );
    const [build] = gauge(METRICS.buildInfo);
    const requests = growths.filter(({ name }) => name === METRICS.requests);
    return {
        growths,
        problems,
        counts: {
            process,
            requests: requests.reduce((all, { value }) => all + value, 0),
            overheadRates: Object.fromEntries(overheadRates),
            build: build && ownLabels(build.labels, target),
            metrics: new Set(last.map(({ labels }) => labels.__name__ ?? "")),
            sums: { first: sumForHours(first), last: sumForHours(last) },
        },
    };
}

/** Counters that restart more often than their process does: growth computed from its ends is too low. */
async function findResets(
    prometheus: Prometheus,
    processes: readonly ServiceProcess[],
    { from, to }: Window,
): Promise<readonly string[]> {
    const range = `[${Math.ceil((to - from) * 1000)}ms]`;
    const found = await prometheus.query(
        `max without (result) (resets(${METRICS.lookups}{job=${quote(JOBS.service)}}${range}))`,
        to,
    );
    const byTarget = Map.groupBy(processes, ({ target }) => targetKey(target));
    return found.flatMap((series) => {
        const restarts = (byTarget.get(targetKey(series.labels))?.length ?? 1) - 1;
        if (valueOf(series) <= restarts) return [];
        const { pod, instance = "unknown" } = series.labels;
        return [`${pod ?? instance}: its counters restarted without its process, and are too low`];
    });
}

/** A metric that only some processes export, such as during the release that adds it. */
function findMissing(
    processes: readonly ProcessCounts[],
    names: readonly string[],
): ReadonlyMap<string, string> {
    const missing = names.flatMap((name) => {
        const having = processes.filter(({ metrics }) => metrics.has(name)).length;
        if (having === 0 || having === processes.length) return [];
        const sentence = `${name} is exported by ${having} of ${processes.length} processes`;
        return [[name, sentence] as const];
    });
    return new Map(missing);
}

const ALL_COUNTERS: ReadonlySet<string> = new Set([...COUNTERS, ...COUNTERS_OF_ALL_PODS]);
const isCounter = (name: string) => ALL_COUNTERS.has(name);

const valueOf = ({ samples }: Series): number => samples.at(-1)?.[1] ?? NaN;

const seriesKey = ({ labels }: Series): string => `${labels.__name__ ?? ""} ${targetKey(labels)}`;

function ownLabels(labels: Labels, target: Labels): Labels {
    return Object.fromEntries(
        Object.entries(labels).filter(([name]) => name !== "__name__" && !(name in target)),
    );
}
