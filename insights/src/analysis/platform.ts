import { OVERHEAD_KINDS } from "@property-search/contract";
import type { Window } from "../prometheus/client.ts";
import type { ProcessCounts } from "../prometheus/counters.ts";
import { targetKey, type Gap, type ServiceProcess } from "../prometheus/processes.ts";
import { formatTime, type Figure, type Release, type Scaling } from "./report.ts";

const HOUR_SECONDS = 3600;

/** The time in the window in which a process is known to have run. */
export function lifetimeOf(
    { baseline, scrapes, lastScrape }: ServiceProcess,
    { from, to }: Window,
) {
    const first = baseline ?? scrapes[0] ?? lastScrape;
    return { from: Math.max(first, from), to: Math.min(lastScrape, to) };
}

/** A time of a process, and its costs in dollars per hour by kind. */
export interface PricedTime extends Window {
    readonly rates: Readonly<Record<string, number>>;
}

/**
 * Dollars of pods and of storage for the time in which they were scraped. A process counts until the scrape after its last
 * one.
 */
export function overheadOf(
    processes: readonly ProcessCounts[],
    window: Window,
    intervalSeconds: number,
) {
    return sumOverhead(
        processes.map(({ process, overheadRates }) => {
            const { from, to } = lifetimeOf(process, window);
            return { from, to: Math.min(to + intervalSeconds, window.to), rates: overheadRates };
        }),
    );
}

/** Dollars of pods (each reports its own) and of storage (all report the same). */
export function sumOverhead(
    times: readonly PricedTime[],
): Readonly<Record<(typeof OVERHEAD_KINDS)[number], Figure>> {
    const having = (kind: (typeof OVERHEAD_KINDS)[number]) =>
        times.flatMap(({ from, to, rates }) => {
            const rate = rates[kind];
            return rate === undefined ? [] : [{ from, to, rate }];
        });
    const [pods, stores] = [having("pod"), having("storage")];
    const pod = pods.reduce(
        (all, { from, to, rate }) => all + (rate * (to - from)) / HOUR_SECONDS,
        0,
    );
    const ends = [...new Set(stores.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
    const storage = ends.slice(1).reduce((all, end, at) => {
        const begin = ends[at] ?? end;
        const rates = stores.filter(({ from, to }) => from <= begin && to >= end);
        const rate = Math.max(0, ...rates.map((one) => one.rate));
        return all + (rate * (end - begin)) / HOUR_SECONDS;
    }, 0);
    return {
        pod: pods.length === 0 ? null : pod,
        storage: stores.length === 0 ? null : storage,
    };
}

export function releasesOf(processes: readonly ProcessCounts[], window: Window): Release[] {
    const groups = Map.groupBy(processes, ({ process: { target }, build }) =>
        JSON.stringify([target.colour ?? "", target.version ?? "", build?.model ?? ""]),
    );
    return [...groups.values()]
        .flatMap((group) => {
            const [one] = group;
            if (!one) return [];
            const lifetimes = group.map(({ process }) => lifetimeOf(process, window));
            return {
                colour: one.process.target.colour ?? "unknown",
                version: one.process.target.version ?? "unknown",
                provider: one.build?.provider ?? null,
                model: one.build?.model ?? null,
                requests: group.reduce((all, { requests }) => all + requests, 0),
                firstSeen: formatTime(Math.min(...lifetimes.map(({ from }) => from))),
                lastSeen: formatTime(Math.max(...lifetimes.map(({ to }) => to))),
            };
        })
        .sort((a, b) => (a.firstSeen < b.firstSeen ? -1 : 1));
}

/** Pods by colour. A restarted process is the same pod. */
export function scalingOf(
    processes: readonly ServiceProcess[],
    gaps: readonly Gap[],
    { from, to }: Window,
    toleranceSeconds: number,
): Scaling[] {
    const blind = gaps.filter(({ pod }) => pod === undefined);
    const isNearGap = (time: number) =>
        blind.some(
            (gap) => time >= gap.from - toleranceSeconds && time <= gap.to + toleranceSeconds,
        );
    const blindSeconds = blind.reduce((all, gap) => all + gap.to - gap.from, 0);
    const byColour = Map.groupBy(processes, ({ target }) => target.colour ?? "unknown");
    return [...byColour].sort().map(([colour, own]) => {
        const pods = [...Map.groupBy(own, ({ target }) => targetKey(target)).values()].map(
            (runs) => {
                const lifetimes = runs.map((run) => lifetimeOf(run, { from, to }));
                return {
                    from: Math.min(...lifetimes.map((one) => one.from)),
                    to: Math.max(...lifetimes.map((one) => one.to)),
                };
            },
        );
        const seconds = pods.reduce((all, pod) => {
            const unseen = blind.reduce(
                (sum, gap) =>
                    sum + Math.max(0, Math.min(gap.to, pod.to) - Math.max(gap.from, pod.from)),
                0,
            );
            return all + pod.to - pod.from - unseen;
        }, 0);
        // A pod that appears or disappears with a gap was not seen to be added or removed.
        const added = pods.filter(
            (pod) => pod.from > from + toleranceSeconds && !isNearGap(pod.from),
        );
        const removed = pods.filter((pod) => pod.to < to - toleranceSeconds && !isNearGap(pod.to));
        const counts = countsOverTime(pods, blind, { from, to }, toleranceSeconds);
        return {
            colour,
            least: Math.min(...counts),
            most: Math.max(...counts),
            mean: seconds / Math.max(1, to - from - blindSeconds),
            added: added.length,
            removed: removed.length,
            restarts: own.filter(({ isRestart }) => isRestart).length,
        };
    });
}

/** Number of pods in each interval between two changes that is longer than the tolerance, without gaps. */
function countsOverTime(
    pods: readonly Window[],
    blind: readonly Window[],
    { from, to }: Window,
    toleranceSeconds: number,
): readonly number[] {
    const changes = [from, to, ...[...pods, ...blind].flatMap((one) => [one.from, one.to])];
    const times = [...new Set(changes)].sort((a, b) => a - b);
    const counts = times.slice(1).flatMap((end, at) => {
        const middle = ((times[at] ?? end) + end) / 2;
        const isBlind = blind.some((gap) => gap.from < middle && gap.to > middle);
        if (isBlind || end - (times[at] ?? end) <= toleranceSeconds) return [];
        return pods.filter((pod) => pod.from < middle && pod.to > middle).length;
    });
    return counts.length === 0 ? [0] : counts;
}
