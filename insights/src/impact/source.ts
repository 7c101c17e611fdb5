import type { Report } from "../analysis/report.ts";
import { mergeBins, type ImpactEvent } from "./bin.ts";
import { createView } from "./createView.ts";
import { DAY_SECONDS, summarizeDay, type DayRecord, type HourStore } from "./hourStore.ts";
import { createMonth, type Month } from "./month.ts";
import { floorTo, type LiveReading, type Recorder } from "./recorder.ts";
import type { ImpactView, LatestDecisions, RangeName } from "./view.ts";

export interface ImpactSource {
    readonly view: (range: RangeName) => Promise<ImpactView>;
    /** Days with the time since the last recorded hour. */
    readonly days: () => Promise<readonly DayRecord[]>;
    /** @param month such as 2026-11; undefined is returned if nothing was measured in it */
    readonly month: (month: string) => Promise<Month | undefined>;
}

export interface SourceArgs {
    readonly store: HourStore;
    readonly recorder: Recorder;
    readonly reports: () => readonly Report[];
    readonly tuning: () => readonly ImpactEvent[];
    readonly latestDecisions: () => Readonly<Record<string, LatestDecisions>>;
    /** Unix seconds. */
    readonly now: () => number;
}

/** Views of the recorded hours. Viewers at the same time share one computation, and one reading of Prometheus. */
export function createImpactSource({ store, recorder, ...args }: SourceArgs): ImpactSource {
    const views = new Map<
        RangeName,
        {
            readonly of: LiveReading;
            readonly revision: number;
            readonly tuning: readonly ImpactEvent[];
            readonly view: ImpactView;
        }
    >();

    return {
        view: async (range) => {
            const live = await recorder.live();
            const known = views.get(range);
            const revision = recorder.revision();
            const tuning = args.tuning();
            if (known?.of === live && known.revision === revision && known.tuning === tuning)
                return known.view;
            const view = createView({
                ...{ range, store, live, now: args.now() },
                minutes: recorder.minutes(),
                isLoading: recorder.isBehind(),
                reports: args.reports(),
                tuning,
                latestDecisions: args.latestDecisions(),
            });
            views.set(range, { of: live, revision, tuning, view });
            return view;
        },
        days: async () => withLive(store, await recorder.live()),
        month: async (month) => {
            const live = await recorder.live();
            return createMonth(month, withLive(store, live), args.tuning(), live.to);
        },
    };
}

/** Days of the store, with the hours that are not recorded yet. */
function withLive(store: HourStore, live: LiveReading): readonly DayRecord[] {
    const days = new Map(store.days().map((day) => [day.from, day]));
    for (const bin of live.bins) {
        const from = floorTo(bin.from, DAY_SECONDS);
        const day = days.get(from) ?? summarizeDay(from, []);
        days.set(from, { ...day, bin: mergeBins(day.bin ? [day.bin, bin] : [bin]) });
    }
    const today = days.get(floorTo(live.to, DAY_SECONDS));
    if (today) days.set(today.from, { ...today, events: [...today.events, ...live.events] });
    return [...days.values()].sort((a, b) => a.from - b.from);
}
