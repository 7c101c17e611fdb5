import { JOBS, METRICS } from "@property-search/contract";
import { PrometheusError, quote, type Prometheus } from "../prometheus/client.ts";
import { mergeBins, type Bin } from "./bin.ts";
import { DAY_SECONDS, HOUR_SECONDS, type HourStore } from "./hourStore.ts";
import { readBins, type Reading } from "./readBins.ts";

/** Time after an hour in which its pods are seen to have ended or not: longer than a gap of scrapes. */
const SETTLE_SECONDS = 600;
/** Hours before now that are read from Prometheus, if it has them. */
const HORIZON_SECONDS = 31 * DAY_SECONDS;
/** Resolution of the latest hours, which are also kept in memory in full. */
export const MINUTE_SECONDS = 60;
export const DETAILED_SECONDS = 25 * HOUR_SECONDS;
/**
 * Length of the parts of an hour that is not recorded yet. Only the time since the last one is read for viewers: an hour by
 * the minute takes Prometheus seconds, and most of it does not change any more.
 */
const PART_SECONDS = 600;
/** A live reading ends at a multiple of this, the interval of scrapes. */
const LIVE_STEP_SECONDS = 15;
const LIVE_DELAY_SECONDS = 2;

/** State of the service now; null: not measured. */
export interface CurrentState {
    readonly pods: number | null;
    readonly errorBound: number | null;
    readonly errorBudget: number | null;
    readonly overlap: number | null;
    readonly settings: readonly SettingInForce[];
}

/** A run-time setting, in all pods. */
export interface SettingInForce {
    readonly setting: string;
    /** `config`, `tuned` or an arm of an experiment; `default`: the configured value, in force or not. */
    readonly source: string;
    /** They differ for a moment after a change. */
    readonly lowest: number;
    readonly highest: number;
}

export interface LiveReading extends Reading {
    readonly from: number;
    readonly to: number;
    readonly state: CurrentState;
    /** Why the latest figures are missing; undefined: Prometheus answers. */
    readonly outage: string | undefined;
}

export interface Recorder {
    /** Reads the next part or hour that is missing, latest first; false if none is. */
    readonly recordNext: () => Promise<boolean>;
    /** Minutes of the latest 25 hours, without those of `live`. */
    readonly minutes: () => readonly Bin[];
    /** The time since the last recorded hour, read at most once in 15 s for all viewers. */
    readonly live: () => Promise<LiveReading>;
    /** Whether earlier hours are still to be read. */
    readonly isBehind: () => boolean;
    /** Changes whenever hours were read. */
    readonly revision: () => number;
}

/** @param now Unix seconds */
export function createRecorder(
    prometheus: Prometheus,
    store: HourStore,
    now: () => number = () => Date.now() / 1000,
): Recorder {
    const minutes = new Map<number, readonly Bin[]>();
    /** Hours of which Prometheus has data; undefined: not read since the last hour. */
    let available: { readonly readAt: number; readonly hours: ReadonlySet<number> } | undefined;
    let behind = true;
    let revision = 0;
    /** Parts of hours that are not in the store yet, by their start. */
    const parts = new Map<number, Reading>();

    /** Begin of the time that is not recorded yet: later hours may still change. */
    const liveBegin = () => floorTo(now() - SETTLE_SECONDS, HOUR_SECONDS);
    const partsEnd = () => floorTo(now() - SETTLE_SECONDS, PART_SECONDS);
    const isStored = (time: number) => store.has(floorTo(time, HOUR_SECONDS));
    const isRead = (part: number) => parts.has(part) || isStored(part);
    const isDetailed = (hour: number) => hour >= floorTo(now() - DETAILED_SECONDS, HOUR_SECONDS);

    async function readAvailable(end: number): Promise<ReadonlySet<number>> {
        if (available?.readAt === end) return available.hours;
        const found = await prometheus.queryRange(
            `sum(count_over_time(process_start_time_seconds{job=${quote(JOBS.service)}}[1h]))`,
            { from: end - HORIZON_SECONDS, to: end },
            HOUR_SECONDS,
        );
        const hours = new Set(
            found.flatMap(({ samples }) => samples.map(([time]) => time - HOUR_SECONDS)),
        );
        available = { readAt: end, hours };
        return hours;
    }

    /** Whether Prometheus has no data of the service before a time. */
    const isFirst = async (time: number): Promise<boolean> =>
        store.first() === undefined &&
        ![...parts].some(([from, { bins }]) => from < time && bins.length > 0) &&
        (await readAvailable(liveBegin())).size === 0;

    async function recordPart(): Promise<boolean> {
        // A store that cannot be written must not fill the memory.
        const oldest = liveBegin() - DETAILED_SECONDS;
        for (const from of parts.keys()) if (isStored(from) || from < oldest) parts.delete(from);
        for (let from = partsEnd() - PART_SECONDS; from >= liveBegin(); from -= PART_SECONDS) {
            if (isRead(from)) continue;
            const reading = await readBins(prometheus, {
                window: { from, to: from + PART_SECONDS },
                stepSeconds: MINUTE_SECONDS,
                settleSeconds: SETTLE_SECONDS,
                isFirst: await isFirst(from),
            });
            parts.set(from, reading);
            revision += 1;
            return true;
        }
        return false;
    }

    async function recordNext(): Promise<boolean> {
        if (await recordPart()) return true;
        const end = liveBegin();
        const hours = await readAvailable(end);
        const first = Math.min(...hours, store.first() ?? Infinity);
        for (let hour = end - HOUR_SECONDS; hour >= end - HORIZON_SECONDS; hour -= HOUR_SECONDS) {
            const needsMinutes = isDetailed(hour) && !minutes.has(hour) && hours.has(hour);
            if (hour < first || (store.has(hour) && !needsMinutes)) continue;
            const window = { from: hour, to: hour + HOUR_SECONDS };
            if (!hours.has(hour)) {
                // Prometheus has dropped what was before its first hour: nothing is known of whether there was data.
                if (hour < Math.min(...hours)) continue;
                const reason = "Prometheus has no data of the service";
                await store.put({
                    from: hour,
                    bin: null,
                    events: [],
                    gaps: [{ ...window, reason, losesCounts: true }],
                });
                return true;
            }
            const { bins, events, gaps } = await readBins(prometheus, {
                window,
                stepSeconds: isDetailed(hour) ? MINUTE_SECONDS : HOUR_SECONDS,
                settleSeconds: SETTLE_SECONDS,
                isFirst: hour === first,
            });
            if (isDetailed(hour)) minutes.set(hour, bins);
            if (!store.has(hour))
                await store.put({ from: hour, bin: mergeBins(bins) ?? null, events, gaps });
            for (const one of minutes.keys()) if (!isDetailed(one)) minutes.delete(one);
            revision += 1;
            return true;
        }
        if (behind) revision += 1;
        behind = false;
        return false;
    }

    let latest: { readonly to: number; readonly reading: Promise<LiveReading> } | undefined;
    let joined:
        | { readonly of: LiveReading; readonly revision: number; readonly all: LiveReading }
        | undefined;

    /** Begin of the time that is read for viewers. The last part is among it until it was read itself. */
    function freshBegin(): number {
        const end = partsEnd();
        const last = end - PART_SECONDS;
        return !isRead(last) && isRead(last - PART_SECONDS) ? last : end;
    }

    /** Adds the parts before, without what is in the store meanwhile. */
    function join(fresh: LiveReading): LiveReading {
        const earlier = [...parts].filter(([from]) => from < fresh.from).sort(([a], [b]) => a - b);
        const all = [...earlier.map(([, part]) => part), fresh];
        return {
            ...fresh,
            from: earlier[0]?.[0] ?? fresh.from,
            bins: all.flatMap(({ bins }) => bins).filter(({ from }) => !isStored(from)),
            events: all.flatMap(({ events }) => events).filter(({ at }) => !isStored(at)),
            gaps: all.flatMap(({ gaps }) => gaps).filter(({ from }) => !isStored(from)),
        };
    }

    async function readFresh(to: number): Promise<LiveReading> {
        const from = freshBegin();
        const nothing = { bins: [], events: [], gaps: [] };
        try {
            const [reading, state] = await Promise.all([
                readBins(prometheus, {
                    window: { from, to },
                    stepSeconds: MINUTE_SECONDS,
                    settleSeconds: 0,
                    isFirst: await isFirst(from),
                }),
                readState(prometheus, to),
            ]);
            return { ...reading, from, to, state, outage: undefined };
        } catch (error) {
            if (!(error instanceof PrometheusError)) throw error;
            let begin = from;
            while (begin > liveBegin() && !isRead(begin - PART_SECONDS)) begin -= PART_SECONDS;
            const gap = { from: begin, to, reason: error.message, losesCounts: true };
            return {
                ...nothing,
                gaps: [gap],
                from: begin,
                to,
                state: UNKNOWN_STATE,
                outage: error.message,
            };
        }
    }

    return {
        recordNext,
        minutes: () => [...minutes].sort(([a], [b]) => a - b).flatMap(([, bins]) => bins),
        live: async () => {
            const to = floorTo(now() - LIVE_DELAY_SECONDS, LIVE_STEP_SECONDS);
            if (latest?.to !== to) latest = { to, reading: readFresh(to) };
            const fresh = await latest.reading;
            if (joined?.of !== fresh || joined.revision !== revision)
                joined = { of: fresh, revision, all: join(fresh) };
            return joined.all;
        },
        isBehind: () => behind,
        revision: () => revision,
    };
}

const UNKNOWN_STATE: CurrentState = {
    pods: null,
    errorBound: null,
    errorBudget: null,
    overlap: null,
    settings: [],
};

export const floorTo = (value: number, step: number): number => Math.floor(value / step) * step;

async function readState(prometheus: Prometheus, seconds: number): Promise<CurrentState> {
    const gauges = {
        pods: `sum(up{job=${quote(JOBS.service)}})`,
        errorBound: `max(${METRICS.semanticErrorBound})`,
        errorBudget: `max(${METRICS.semanticErrorBudget})`,
        overlap: `min(${METRICS.semanticOverlap})`,
        lowest: `min by (setting, source) (${METRICS.settingValue})`,
        highest: `max by (setting, source) (${METRICS.settingValue})`,
        configured: `max by (setting) (${METRICS.settingConfigured})`,
    };
    const found = await prometheus.query(
        Object.entries(gauges)
            .map(([name, expr]) => `label_replace(${expr}, "figure", ${quote(name)}, "", "")`)
            .join(" or "),
        seconds,
    );
    const of = (name: keyof typeof gauges) => {
        const value = found.find(({ labels }) => labels.figure === name)?.samples[0]?.[1];
        return value === undefined || Number.isNaN(value) ? null : value;
    };
    const settings = found.flatMap(({ labels, samples }): SettingInForce[] => {
        const { figure, setting = "", source = "default" } = labels;
        const lowest = samples[0]?.[1] ?? NaN;
        if (figure !== "lowest" && figure !== "configured") return [];
        const highest = found.find(
            ({ labels: other }) =>
                other.figure === "highest" && other.setting === setting && other.source === source,
        );
        return [{ setting, source, lowest, highest: highest?.samples[0]?.[1] ?? lowest }];
    });
    return {
        settings,
        pods: of("pods"),
        errorBound: of("errorBound"),
        errorBudget: of("errorBudget"),
        overlap: of("overlap"),
    };
}
