import { CACHE_RESULTS, JOBS, METRICS } from "@property-search/contract";
import type { Random } from "../../../bench/shared/random.ts";
import type { Window } from "../../src/prometheus/client.ts";

/** Seconds between scrapes. The service's interval of 15 s would only make the history larger. */
export const STEP_SECONDS = 120;
export const BOUNDS = [0.001, 0.01, 0.1, 1] as const;
export const MODEL = "all-MiniLM-L6-v2";

type Labels = Readonly<Record<string, string>>;

export interface SimulatedProcess {
    readonly pod: string;
    readonly colour: string;
    readonly version: string;
    /** Unix seconds. */
    readonly startedAt: number;
    /** It ends before this time. */
    readonly endsAt: number;
    /** Seconds by which its pod's clock is ahead of Prometheus'. Default: 0 */
    readonly clockAheadSeconds?: number;
    /** A fault that does not exist in the service: counters restart, and the process does not. */
    readonly resetsAt?: number;
    /** Metrics that this version does not export. */
    readonly lacks?: readonly string[];
    readonly overhead?: Readonly<Record<"pod" | "storage", number>>;
}

/** One increment of a counter, at the time of a scrape, whether it was successful or not. */
export interface CountedEvent {
    readonly seconds: number;
    readonly pod: string;
    readonly startedAt: number;
    readonly name: string;
    readonly labels: Labels;
    readonly count: number;
}

export interface Simulation {
    /** OpenMetrics. */
    readonly lines: readonly string[];
    /** What happened, recorded by Prometheus or not. */
    readonly events: readonly CountedEvent[];
}

export interface Faults {
    /** Whether Prometheus runs. */
    readonly isUp?: (seconds: number) => boolean;
    /** Whether the pod answers a scrape. */
    readonly answers?: (pod: string, seconds: number) => boolean;
}

const TENANTS = ["search", "chat"];

/** Simulates the service's counters and Prometheus' scrapes of them. */
export function simulate(
    random: Random,
    processes: readonly SimulatedProcess[],
    { isUp = () => true, answers = () => true }: Faults = {},
): Simulation {
    const lines: string[] = [];
    const events: CountedEvent[] = [];
    for (const process of processes) {
        const { pod, colour, startedAt, endsAt, clockAheadSeconds = 0, resetsAt } = process;
        const target = {
            job: JOBS.service,
            instance: `${pod}:8001`,
            namespace: `property-search-${colour}`,
            pod,
            colour,
            version: process.version,
        };
        const write = (name: string, labels: Labels, value: number, seconds: number) =>
            lines.push(`${name}${format({ ...target, ...labels })} ${value} ${seconds}`);
        let counters = new Map<string, { readonly series: string; value: number }>();
        const first = firstScrape(pod, startedAt);
        for (let seconds = first; seconds < endsAt; seconds += STEP_SECONDS) {
            if (resetsAt !== undefined && seconds >= resetsAt && seconds < resetsAt + STEP_SECONDS)
                counters = new Map();
            for (const { name, labels, count } of draw(random)) {
                if (process.lacks?.includes(name)) continue;
                // Labels of a metric have the same names, in the same order.
                const key = `${name} ${Object.values(labels).join(" ")}`;
                const counter = counters.get(key) ?? {
                    series: name + format({ ...target, ...labels }),
                    value: 0,
                };
                counters.set(key, counter);
                counter.value += count;
                events.push({ seconds, pod, startedAt, name, labels, count });
            }
            if (!isUp(seconds)) continue;
            const isScraped = answers(pod, seconds);
            write("up", {}, isScraped ? 1 : 0, seconds);
            if (!isScraped) continue;
            write(
                "process_start_time_seconds",
                {},
                Math.round(startedAt + clockAheadSeconds),
                seconds,
            );
            write(METRICS.buildInfo, { provider: "openai", model: MODEL }, 1, seconds);
            write(METRICS.localEntries, {}, 2000, seconds);
            for (const [kind, rate] of Object.entries(process.overhead ?? {}))
                write(METRICS.overheadRate, { kind }, rate, seconds);
            for (const { series, value } of counters.values())
                lines.push(`${series} ${value} ${seconds}`);
        }
    }
    return { lines, events };
}

/** Each pod is scraped at a time of its own. */
export function firstScrape(pod: string, startedAt: number): number {
    const offset = (pod.length * 7 + pod.charCodeAt(pod.length - 1)) % STEP_SECONDS;
    return Math.ceil((startedAt - offset) / STEP_SECONDS) * STEP_SECONDS + offset;
}

type Increment = Pick<CountedEvent, "name" | "labels" | "count">;

/** Traffic of one step. A tenant's series begins when it first has traffic, as in the service. */
function draw(random: Random): readonly Increment[] {
    const some = (most: number) => Math.floor(random() * (most + 1));
    const answers = ["hit_l1", "miss"].flatMap((result): Increment[] => {
        const counts = [...BOUNDS, Infinity].map(() => some(3));
        let below = 0;
        const labels = { route: "/embed", result };
        return [
            ...counts.map((count, at): Increment => {
                below += count;
                const le = String(BOUNDS[at] ?? "+Inf");
                return {
                    name: `${METRICS.responseTime}_bucket`,
                    labels: { ...labels, le },
                    count: below,
                };
            }),
            { name: `${METRICS.responseTime}_count`, labels, count: below },
            { name: `${METRICS.responseTime}_sum`, labels, count: below / 64 },
        ];
    });
    const tenants = TENANTS.filter(() => random() < 0.5).flatMap((tenant): Increment[] => {
        const tokens = (labels: Labels, [tokensName, dollarsName]: readonly [string, string]) => {
            const count = some(50);
            return [
                { name: tokensName, labels: { tenant, model: MODEL, ...labels }, count },
                // A power of two, so that sums are exact.
                {
                    name: dollarsName,
                    labels: { tenant, model: MODEL, ...labels },
                    count: count / 1024,
                },
            ];
        };
        return [
            ...["hit_l1", "hit_l2"].flatMap((result) =>
                tokens({ result }, [METRICS.tokensSaved, METRICS.costSaved]),
            ),
            ...["request", "refresh"].flatMap((purpose) =>
                tokens({ purpose }, [METRICS.tokensBilled, METRICS.costBilled]),
            ),
        ];
    });
    return [
        ...CACHE_RESULTS.map((result) => ({
            name: METRICS.lookups,
            labels: { result },
            count: some(20),
        })),
        ...["200", "503"].map((code) => ({
            name: METRICS.requests,
            labels: { route: "/embed", code },
            count: some(code === "200" ? 20 : 1),
        })),
        { name: METRICS.upstreamCalls, labels: {}, count: some(5) },
        ...answers,
        ...tenants,
    ];
}

/** Sum of the events of a counter in (from, to]. */
export function countEvents(
    events: readonly CountedEvent[],
    { from, to }: Window,
    name: string,
    labels: Labels = {},
): number {
    return events.reduce((all, event) => {
        const isMatch =
            event.name === name &&
            event.seconds > from &&
            event.seconds <= to &&
            Object.entries(labels).every(([label, value]) => event.labels[label] === value);
        return isMatch ? all + event.count : all;
    }, 0);
}

export function format(labels: Labels): string {
    const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
    return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
